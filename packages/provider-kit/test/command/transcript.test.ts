import type { CommandResult, Exec } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { commandRunner, recordingRunner, scriptedRunner } from "../../src/command/index.ts";

const ok = (stdout: string): CommandResult => ({ exitCode: 0, signal: null, stdout, stderr: "" });

describe("recordingRunner", () => {
  it("writes down calls, results and failures without secrets, and its transcript replays", async () => {
    const secret = "s3cret-token";
    const recorder = recordingRunner(commandRunner());
    const drive = async (exec: Exec): Promise<unknown[]> => [
      await exec("cat", [], { stdin: `token=${secret}`, secrets: [secret], env: { TOKEN: secret, MODE: "x" } }),
      await exec("/bin/sh", ["-c", "echo out; echo err >&2; exit 4"]),
      await exec("no-such-program", ["a"]).then(null, (error: unknown) => (error as Error).message),
    ];
    const live = await drive(recorder.exec);
    const stored: unknown = JSON.parse(JSON.stringify(recorder.transcript));
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(recorder.transcript[0]).toEqual({
      command: ["cat"],
      stdin: "token=[redacted]",
      env: { TOKEN: "[redacted]", MODE: "x" },
      result: ok("token=[redacted]"),
    });
    expect(recorder.transcript[2]?.failed).toMatchObject({ fault: "notFound", started: false });

    const script = scriptedRunner(recorder.transcript);
    const replayed = await drive(script.exec);
    script.assertDone();
    expect(replayed.slice(1)).toEqual(live.slice(1));
  });

  it("keeps the order of the calls while several run", async () => {
    const recorder = recordingRunner(commandRunner());
    await Promise.all([recorder.exec("/bin/sh", ["-c", "sleep 0.1; echo slow"]), recorder.exec("echo", ["fast"])]);
    expect(recorder.transcript.map((record) => record.result?.stdout)).toEqual(["slow\n", "fast\n"]);
  });
});

describe("scriptedRunner", () => {
  it("names the call that it did not expect and what it did", async () => {
    const { exec } = scriptedRunner([{ command: ["tool", "list"], result: ok("[]") }]);
    await expect(exec("tool", ["delete", "a b"])).rejects.toThrow(
      'unexpected command: tool delete "a b"; expected: tool list',
    );
    expect((await exec("tool", ["list"])).stdout).toBe("[]");
    await expect(exec("tool", ["list"])).rejects.toThrow("the transcript is over");
  });

  it("compares stdin, directory and environment where the record has them", async () => {
    const record = { command: ["tool"], stdin: "a", cwd: "/x", env: { A: "1" }, result: ok("") };
    const { exec, assertDone } = scriptedRunner([record]);
    const right = { stdin: "a", cwd: "/x", env: { A: "1", B: "2" } };
    await expect(exec("tool", [], { ...right, stdin: "b" })).rejects.toThrow("another stdin");
    await expect(exec("tool", [], { ...right, cwd: "/y" })).rejects.toThrow("another cwd");
    await expect(exec("tool", [], { ...right, env: {} })).rejects.toThrow("another env.A");
    expect(assertDone).toThrow("1 expected command(s) never came, first: tool");
    await exec("tool", [], right);
    assertDone();
  });

  it("takes records in any order if told so, each once", async () => {
    const { exec, remaining } = scriptedRunner(
      [
        { command: ["tool", "a"], result: ok("A") },
        { command: ["tool", "b"], result: ok("B") },
      ],
      { order: "any" },
    );
    expect((await exec("tool", ["b"])).stdout).toBe("B");
    await expect(exec("tool", ["b"])).rejects.toThrow("unexpected command");
    expect(remaining().map((record) => record.command)).toEqual([["tool", "a"]]);
  });

  it("streams what it replays, and replays failures as CommandErrors", async () => {
    const { exec } = scriptedRunner([
      { command: ["tool"], result: ok("line\n") },
      { command: ["tool"], failed: { fault: "timedOut", reason: "too slow", started: true } },
    ]);
    const heard: string[] = [];
    await exec("tool", [], { onStdout: (chunk) => heard.push(chunk) });
    expect(heard).toEqual(["line\n"]);
    await expect(exec("tool", [])).rejects.toMatchObject({ timedOut: true, started: true });
  });
});
