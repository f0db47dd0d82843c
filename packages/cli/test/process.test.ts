import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { environment, nodeArguments, type Run, runProgram } from "./command-process.ts";

const bin = fileURLToPath(new URL("../bin/slipway.js", import.meta.url));
const PATIENCE_MS = 60_000;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-cli-"));
});
afterEach(async () => {
  await slipway("terminate", "--all", "--yes", "--confirm");
  rmSync(directory, { recursive: true, force: true });
}, PATIENCE_MS);

function slipway(...args: readonly string[]): Promise<Run> {
  return run(nodeArguments(...args));
}

function run(args: readonly string[]): Promise<Run> {
  return runProgram(process.execPath, args, { cwd: directory, env: environment(join(directory, "state")) });
}

describe("the command as a process", { timeout: PATIENCE_MS }, () => {
  it.skipIf(!existsSync("/dev/full"))("says in one line that its output cannot be written", async () => {
    const command = ["-c", '"$0" "$@" >/dev/full', process.execPath, ...nodeArguments("list", "--json")];
    const options = { cwd: directory, env: environment(join(directory, "state")) };
    expect(await runProgram("/bin/sh", command, options)).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "slipway: error OUTPUT_LOST: the output cannot be written (ENOSPC)\n",
    });
  });

  it("does the main job: spawn, list, exec, logs, terminate", async () => {
    writeFileSync(join(directory, "setup.sh"), 'echo "hello $WHO"\n');
    writeFileSync(join(directory, ".env"), "WHO=world of ships\n");
    const spawned = await slipway("spawn", "--key", "k", "--bootstrap", "setup.sh", "--env-file", ".env", "--wait");
    // What the bootstrap prints, without the values of the env file.
    expect(spawned.stderr).toBe("k: hello [redacted]\nk: slipway-bootstrap: exit code 0\n");
    const last = spawned.stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toMatch(/^price: not known; to end it: slipway terminate \S+$/);
    const list = JSON.parse((await slipway("list", "--json")).stdout) as readonly { key: string; status: string }[];
    expect(list).toMatchObject([{ key: "k", status: "running", bootstrap: { state: "succeeded", exitCode: 0 } }]);
    expect((await slipway("logs", "k")).stdout).toContain("hello world of ships\n");
    expect(await slipway("exec", "k", "--", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
      exitCode: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    // The command of the last line, as it stands there.
    const command = last.split("to end it: slipway ")[1] ?? "";
    expect(await slipway(...command.split(" "), "--confirm")).toMatchObject({ exitCode: 0 });
    expect(await slipway("list")).toEqual({ exitCode: 0, stdout: "", stderr: "No instances.\n" });
  });

  it("makes one instance for one key, whoever comes first", async () => {
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => slipway("spawn", "--key", "k", "--ttl", "1h", "--json")),
    );
    expect(runs.map(({ stderr }) => stderr).join("")).toBe("");
    expect(new Set(runs.map(({ stdout }) => (JSON.parse(stdout) as { id: string }).id)).size).toBe(1);
  });

  it("answers an interrupt with 130, and says that the instance is there", async () => {
    writeFileSync(join(directory, "slow.sh"), "echo begun; sleep 600\n");
    const args = nodeArguments("spawn", "--key", "k", "--bootstrap", "slow.sh", "--wait");
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env: environment(join(directory, "state")),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const exited = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await until(async () => (await slipway("list", "--json")).stdout.includes('"running"'));
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(stderr).toContain("CANCELLED");
    expect(stderr).toMatch(/is there all the same\. price: not known; to end it: slipway terminate \S+/);
  });

  it.skipIf(!existsSync("/proc/self"))("says at once that a state directory cannot be made", async () => {
    const env = { ...environment("/proc"), HOME: directory };
    for (const words of [["list"], ["spawn", "--key", "k"], ["doctor"]]) {
      const done = await runProgram(process.execPath, nodeArguments(...words), { cwd: directory, env });
      expect(done.exitCode).toBe(1);
      expect(done.stdout + done.stderr).toMatch(/STATE_UNUSABLE|STATE_READ_ONLY/);
    }
  });

  it.skipIf(process.platform === "win32")("is ended by SIGTERM also where a file never answers", async () => {
    const state = join(directory, "stuck");
    mkdirSync(join(state, "slipway"), { recursive: true, mode: 0o700 });
    // Whoever opens it waits for a writer, in a thread that Node would wait for at its end.
    const fifo = join(state, "slipway", "owner");
    execFileSync("mkfifo", ["-m", "600", fifo]);
    const child = spawn(process.execPath, nodeArguments("list", "--verbose"), {
      cwd: directory,
      env: environment(state),
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    // A writer can open it once a reader waits; it writes nothing, and so the reader goes on waiting.
    let writer: number | null = null;
    await until(async () => (writer = opened(fifo)) !== null);
    onTestFinished(() => (writer === null ? undefined : closeSync(writer)));
    child.kill("SIGTERM");
    expect(await exited).toBe("SIGTERM");
    expect(stderr).toContain("INTERRUPTED");
  });

  it("survives a reader that goes away", async () => {
    const child = spawn(process.execPath, nodeArguments("--help"), {
      cwd: directory,
      env: environment(join(directory, "state")),
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(0);
    expect(stderr).toBe("");
  });

  it("answers an old Node in one line", async () => {
    const pretend = join(directory, "old.cjs");
    writeFileSync(
      pretend,
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.12.0" } });',
    );
    const old = await run(["--require", pretend, bin, "list"]);
    expect(old).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "slipway: error NODE_TOO_OLD: this is Node 22.12.0, and slipway needs 22.13 or newer\n",
    });
  });
});

function opened(fifo: string): number | null {
  try {
    return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS / 2; !(await condition()); ) {
    if (Date.now() > end) throw new Error("it did not come to be");
  }
}
