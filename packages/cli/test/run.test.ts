import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Interrupt } from "../src/world.ts";
import { commandLine } from "./command-line.ts";
import { environment, nodeArguments, type Run, runProgram } from "./command-process.ts";

const PATIENCE_MS = 60_000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-run-"));
});
afterEach(async () => {
  await slipway("terminate", "--all", "--yes", "--confirm");
  rmSync(directory, { recursive: true, force: true });
}, PATIENCE_MS);

function slipway(...args: readonly string[]): Promise<Run> {
  const options = { cwd: directory, env: environment(join(directory, "state")) };
  return runProgram(process.execPath, nodeArguments(...args), options);
}

interface Started {
  readonly child: ChildProcess;
  readonly printed: { stdout: string; stderr: string };
  /** Resolves when the text has been printed. */
  readonly until: (text: string) => Promise<void>;
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

function started(...args: readonly string[]): Started {
  const child = spawn(process.execPath, nodeArguments(...args), {
    cwd: directory,
    env: environment(join(directory, "state")),
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed = { stdout: "", stderr: "" };
  const waiting = new Map<string, () => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      printed[name] += chunk.toString();
      for (const [text, resolve] of waiting) if (printed[name].includes(text)) resolve();
    });
  }
  return {
    child,
    printed,
    until: (text) => new Promise((resolve) => waiting.set(text, resolve)),
    exited: new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code))),
  };
}

/** Nothing runs, and nothing is remembered. */
async function expectNothingLeft(): Promise<void> {
  expect(await slipway("list")).toMatchObject({ stdout: "", stderr: "No instances.\n" });
  expect(JSON.parse((await slipway("reconcile", "--json")).stdout)).toMatchObject([{ items: [] }]);
}

describe("slipway run", { timeout: PATIENCE_MS }, () => {
  it("prints what the command prints, ends with its code, and leaves no instance", async () => {
    const run = await slipway("run", "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 7");
    expect(run).toEqual({ exitCode: 7, stdout: "out\nerr\n", stderr: "" });
    await expectNothingLeft();
  });

  it("ends with 125 where it is not the command that failed", async () => {
    expect(await slipway("run", "--no-such-option", "--", "true")).toMatchObject({ exitCode: 125 });
    const script = join(directory, "setup.sh");
    writeFileSync(script, "echo no such package; exit 3\n");
    const run = await slipway("run", "--bootstrap", script, "--", "echo", "never");
    expect(run).toMatchObject({ exitCode: 125, stdout: "" });
    expect(run.stderr).toMatch(/exit code 3[\s\S]*no such package/);
    await expectNothingLeft();
  });

  it("takes files there and brings files back", async () => {
    const at = join(directory, "project");
    mkdirSync(at);
    writeFileSync(join(at, "in.txt"), "hello\n");
    const script = "mkdir out; tr a-z A-Z <in.txt >out/done; pwd >&2; exit 4";
    const run = await slipway(
      "run",
      "--upload",
      at,
      "--download",
      "out",
      "--download",
      "none",
      "--",
      "sh",
      "-c",
      script,
    );
    expect(run).toMatchObject({ exitCode: 4, stderr: "The command wrote no none: nothing was downloaded.\n" });
    expect(readFileSync(join(directory, "out", "done"), "utf8")).toBe("HELLO\n");
    await expectNothingLeft();
  });

  it("does not take another command's instance for its own", async () => {
    await slipway("spawn", "--key", "web", "--ttl", "1d");
    const run = await slipway("run", "--key", "web", "--ttl", "1d", "--", "true");
    expect(run).toMatchObject({ exitCode: 125 });
    expect(run.stderr).toContain("KEY_IN_USE");
    expect(JSON.parse((await slipway("list", "--json")).stdout)).toMatchObject([{ key: "web" }]);
  });

  it("on the first Ctrl-C ends the command, and goes on as always", async () => {
    const script = "trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 0.1; done";
    const { child, printed, until, exited } = started("run", "--", "/bin/sh", "-c", script);
    await until("up");
    child.kill("SIGINT");
    expect(await exited).toBe(9);
    expect(printed.stdout).toMatch(/^up\n[\s\S]*bye\n$/);
    expect(printed.stderr).toContain("Press Ctrl-C again to terminate the instance now.");
    await expectNothingLeft();
  });

  it("on the second Ctrl-C terminates at once", async () => {
    const { child, printed, until, exited } = started("run", "--", "/bin/sh", "-c", "trap '' TERM; echo up; sleep 600");
    await until("up");
    const stopping = until("Stopping the command");
    child.kill("SIGINT");
    await stopping;
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(printed.stderr).toMatch(/Terminating the instance.*\nInterrupted: the instance was terminated\.\n$/);
    await expectNothingLeft();
  });

  it("ends with 125 and no instance when --timeout is over", async () => {
    const run = await slipway("run", "--timeout", "3s", "--", "sleep", "600");
    expect(run).toMatchObject({ exitCode: 125, stdout: "" });
    expect(run.stderr).toContain("error TIMEOUT");
    await expectNothingLeft();
  });

  it("takes a SIGTERM for both", async () => {
    const { child, until, exited } = started("run", "--", "/bin/sh", "-c", "trap '' TERM; echo up; sleep 600");
    await until("up");
    child.kill("SIGTERM");
    expect(await exited).toBe(130);
    await expectNothingLeft();
  });
});

it.skipIf(!existsSync("/dev/full"))(
  "whose output cannot be written any more terminates its instance, and says why",
  { timeout: PATIENCE_MS },
  async () => {
    const script = "echo up; exec sleep 600";
    const command = ["-c", '"$0" "$@" >/dev/full', process.execPath, ...nodeArguments("run", "--", "sh", "-c", script)];
    const options = { cwd: directory, env: environment(join(directory, "state")) };
    const run = await runProgram("/bin/sh", command, options);
    expect(run.exitCode).toBe(125);
    expect(run.stderr.split("slipway: error OUTPUT_LOST: the output cannot be written (ENOSPC)\n")).toHaveLength(2);
    await expectNothingLeft();
  },
);

it.skipIf(!existsSync("/dev/full"))(
  "whose notes cannot be written ends as its command does",
  { timeout: PATIENCE_MS },
  async () => {
    const words = nodeArguments("run", "--download", "none", "--", "sh", "-c", "echo out; exit 7");
    const command = ["-c", '"$0" "$@" 2>/dev/full', process.execPath, ...words];
    const options = { cwd: directory, env: environment(join(directory, "state")) };
    expect(await runProgram("/bin/sh", command, options)).toMatchObject({ exitCode: 7, stdout: "out\n" });
    await expectNothingLeft();
  },
);

describe("slipway cp", { timeout: PATIENCE_MS }, () => {
  it("copies to an instance and back", async () => {
    await slipway("spawn", "--key", "web");
    writeFileSync(join(directory, "a:b"), "text");
    expect(await slipway("cp", "./a:b", "web:there/file")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(await slipway("exec", "web", "--", "cat", "there/file")).toMatchObject({ stdout: "text" });
    expect(await slipway("cp", "web:there", "back")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(directory, "back", "file"), "utf8")).toBe("text");
    expect(await slipway("cp", "web:no-such", "back")).toMatchObject({ exitCode: 1 });
    for (const words of [
      ["a", "b"],
      ["web:a", "web:b"],
    ]) {
      expect(await slipway("cp", ...words)).toMatchObject({ exitCode: 2, stdout: "" });
    }
  });
});

it("where there is no exec a key of its own goes to the instance, and away with it", async () => {
  const before = keyDirectories();
  const line = commandLine({ bare: true });
  const run = await line.slipway(["run", "--", "true"]);
  // The fake shows no address to log in at.
  expect(run).toMatchObject({ exitCode: 125, stdout: "" });
  expect(run.stderr).toContain("shows no SSH endpoint");
  const [[request] = []] = line.remote.called("spawn");
  expect(request).toMatchObject({ sshKeys: [expect.stringMatching(/^ssh-ed25519 \S+ slipway-run$/)] });
  expect([...line.remote.instances.values()].map(({ status }) => status)).toEqual(["terminated"]);
  expect(keyDirectories()).toEqual(before);
});

const keyDirectories = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("slipway-key-"));

it("refuses what cannot be copied before anything is launched", async () => {
  const line = commandLine();
  for (const [flag, path] of [
    ["--upload", "no-such"],
    ["--download", "../out"],
    ["--download", "/etc/passwd"],
  ]) {
    const run = await line.slipway(["run", flag ?? "", path ?? "", "--", "true"]);
    expect(run).toMatchObject({ exitCode: 125, stdout: "" });
    expect(run.stderr).toMatch(/UNREADABLE_FILE|INVALID_ARGUMENT/);
  }
  expect(line.remote.called("spawn")).toEqual([]);
});

it("cp says that a provider without exec takes a key", async () => {
  const line = commandLine({ bare: true });
  await line.slipway(["spawn", "--key", "k"]);
  const run = await line.slipway(["cp", "k:a", "b"]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain("Add --identity");
});

it("on the third Ctrl-C quits and prints how to terminate the instance", async () => {
  const line = commandLine();
  let press: (interrupt: Interrupt) => void = () => undefined;
  const launching = Promise.withResolvers<void>();
  const stuck = Promise.withResolvers<void>();
  line.remote.hooks.set("spawn", async () => {
    launching.resolve();
    await stuck.promise;
  });
  let quits = 0;
  const run = line.slipway(["run", "--key", "k", "--", "true"], {
    handleInterrupts: (listener) => {
      press = listener;
      return () => undefined;
    },
  });
  await launching.promise;
  const interrupt = { isFinal: false, quit: () => void (quits += 1) };
  press(interrupt);
  press(interrupt);
  expect(quits).toBe(0);
  press(interrupt);
  expect(quits).toBe(1);
  stuck.resolve();
  const { exitCode, stderr } = await run;
  expect(stderr).toContain("The instance may be left running; to end it: slipway terminate k\n");
  expect(exitCode).toBe(130);
  expect([...line.remote.instances.values()].filter(({ status }) => status !== "terminated")).toEqual([]);
});
