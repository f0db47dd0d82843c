import type { RuntimeEvent } from "@slipway/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { BASE_ENVIRONMENT, type CommandError, commandRunner, runCommand } from "../../src/command/index.ts";
import { faultOf, handClock, node } from "./programs.ts";

describe("environment", () => {
  it("is the base, the defaults and what the call gives, and nothing else of this process", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "of the parent");
    vi.stubEnv("LANG", "C.UTF-8");
    onTestFinished(() => void vi.unstubAllEnvs());
    const exec = commandRunner({ defaults: { env: { MODE: "default", BOTH: "default" } } });
    const { stdout } = await exec("env", ["-0"], { env: { BOTH: "call", HOSTILE: "a\n$(id)='\"" } });
    const given = new Map(
      stdout
        .split("\0")
        .filter((line) => line !== "")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    expect(given.get("MODE")).toBe("default");
    expect(given.get("BOTH")).toBe("call");
    expect(given.get("HOSTILE")).toBe("a\n$(id)='\"");
    expect(given.get("LANG")).toBe("C.UTF-8");
    const known = new Set([...BASE_ENVIRONMENT, "MODE", "BOTH", "HOSTILE"]);
    expect([...given.keys()].filter((name) => !known.has(name))).toEqual([]);
  });

  it("passes other names if it is told so", async () => {
    vi.stubEnv("TOOL_HOME", "/opt/tool");
    onTestFinished(() => void vi.unstubAllEnvs());
    const exec = commandRunner({ inherit: ["PATH", "TOOL_HOME"] });
    expect((await exec("env", [])).stdout.split("\n").toSorted()).toEqual(
      ["", `PATH=${process.env["PATH"]}`, "TOOL_HOME=/opt/tool"].toSorted(),
    );
  });
});

describe("secrets", () => {
  const secret = 'to"ken+1/é';
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
  ];

  it("refuses a secret in the argument list before anything runs, without naming it", async () => {
    const events: RuntimeEvent[] = [];
    const exec = commandRunner({ onEvent: (event) => events.push(event), defaults: { secrets: [secret] } });
    const error = await faultOf(exec("echo", ["--token", `Bearer ${secret}`]));
    expect(error).toMatchObject({ invalid: true, started: false });
    expect(error.message).toContain("argument 2");
    expect(JSON.stringify([error, error.message, error.stack, events])).not.toContain(secret);
  });

  it("does not show one in an error's texts or an event, in any form that tools print", async () => {
    const events: RuntimeEvent[] = [];
    const logged: unknown[] = [];
    const note = (...line: unknown[]): void => void logged.push(line);
    const log = { debug: note, info: note, warn: note, error: note };
    const exec = commandRunner({ onEvent: (event) => events.push(event), log, provider: "tester" });
    const print = `const f = ${JSON.stringify(forms)}; console.log(f.join(" ")); console.error(f.join("\\n")); setInterval(() => 0, 1000)`;
    const controller = new AbortController();
    const error = await faultOf(
      exec(...node("eval(require('fs').readFileSync(0, 'utf8'))"), {
        stdin: print,
        secrets: [secret],
        signal: controller.signal,
        onStderr: () => controller.abort(),
      }),
    );
    expect(error.stdout).toContain("[redacted]");
    expect(error.stderr).toContain("[redacted]");
    for (const form of forms) {
      expect(inspectable(error)).not.toContain(form);
      expect(JSON.stringify([events, logged])).not.toContain(form);
    }
  });

  it("leaves no half of one where the output was cut", async () => {
    const long = "0123456789abcdefghij";
    const error = await faultOf(
      runCommand("/bin/sh", ["-c", "cat; sleep 60"], { stdin: `say ${long}`, maxOutputBytes: 14, secrets: [long] }),
    );
    expect(error.stdout).toBe("say [redacted]");
  });

  it("hands them to the caller as they are: the result is the caller's own", async () => {
    const { stdout } = await runCommand("cat", [], { stdin: secret, secrets: [secret] });
    expect(stdout).toBe(secret);
  });
});

describe("events", () => {
  it("reports each command with its duration on the clock, also one that failed", async () => {
    const clock = handClock();
    const events: RuntimeEvent[] = [];
    const exec = commandRunner({ clock, provider: "tester", onEvent: (event) => events.push(event) });
    await exec("/bin/sh", ["-c", "exit 7"], { onStdout: () => undefined });
    await faultOf(exec("no-such-program", []));
    const at = new Date(1_000_000).toISOString();
    expect(events).toEqual([
      { type: "command.run", at, provider: "tester", command: ["/bin/sh", "-c", "exit 7"], durationMs: 0, exitCode: 7 },
      { type: "command.run", at, provider: "tester", command: ["no-such-program"], durationMs: 0, exitCode: null },
    ]);
  });

  it("takes no harm from a listener that throws", async () => {
    const exec = commandRunner({
      onEvent: () => {
        throw new Error("bad listener");
      },
    });
    expect((await exec("true", [])).exitCode).toBe(0);
  });
});

function inspectable(error: CommandError): string {
  return [error.message, error.stack, error.stdout, error.stderr, String(error), JSON.stringify({ ...error })].join(
    "\n",
  );
}
