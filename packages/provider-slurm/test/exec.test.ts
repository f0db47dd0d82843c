import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Exec } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { slurm } from "../src/index.ts";
import { writeComment } from "../src/ownership.ts";
import { failure } from "./failure.ts";

const comment = writeComment({
  ownership: { owner: "tests", key: "a", specHash: "h", labels: {} },
  token: "0123456789ab",
  asksMemory: false,
});
const RECORD = ["\x1e7", "1700000000", "n", "RUNNING", "None", "main", "n1", "1", "64M", "N/A", "", ""]
  .concat("1700000001", "1700003601", "0:10", comment)
  .join("\x1f");

/**
 * Runs a command in a running job. `srun` is as a real one: it says on stderr how a task ended, in the middle of the line that
 * the task has begun, and what a task wrote just before a signal ended it is lost.
 */
async function run(argv: readonly string[], onStderr?: (chunk: string) => void) {
  const exec: Exec = async (program, args, options) => {
    const done = (stdout: string) => ({ exitCode: 0, signal: null, stdout, stderr: "" });
    if (program === "squeue") return done(RECORD);
    if (program !== "srun") return done("ClusterName = c\n");
    const [file = "", ...words] = args.slice(args.indexOf("--") + 1);
    // In a group of its own: a signal to the step hits no more than its processes.
    const child = spawn(file, words, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const task = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => void (task.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (task.stderr += chunk.toString()));
    await once(child, "close");
    const { exitCode, signalCode } = child;
    const ended = (how: string): string => `srun: error: n1: task 0: ${how}\n`;
    const code = exitCode === 0 ? "" : ended(`Exited with exit code ${exitCode}`);
    const stderr = signalCode === null ? task.stderr + code : ended("Killed");
    // As it comes: cut anywhere.
    for (let at = 0; at < stderr.length; at += 3) options?.onStderr?.(stderr.slice(at, at + 3));
    return { exitCode: exitCode ?? 137, signal: null, stdout: signalCode === null ? task.stdout : "", stderr };
  };
  const provider = slurm({ owner: "tests", runtime: { exec } });
  return await provider.exec("c/7@1700000000", argv, { onStderr });
}

const shell = (script: string): readonly string[] => ["/bin/sh", "-c", script];

describe("a command in a job", () => {
  test("keeps what it printed before a signal ended it", async () => {
    const result = await run(shell("echo out; echo err >&2; kill -s KILL $$"));
    expect(result).toEqual({ exitCode: 137, stdout: "out\n", stderr: "err\n" });
  });

  test("has the last line of its stderr for itself, also one that does not end", async () => {
    const seen: string[] = [];
    const result = await run(shell("printf 'one\\ntwo' >&2; exit 3"), (chunk) => void seen.push(chunk));
    expect(result).toEqual({ exitCode: 3, stdout: "", stderr: "one\ntwo" });
    expect(seen.join("")).toBe("one\ntwo");
  });

  test.each([0, 1, 126, 127, 255])("ends with its own exit code %i, and nothing else is said of it", async (code) => {
    expect(await run(shell(`exit ${code}`))).toEqual({ exitCode: code, stdout: "", stderr: "" });
  });

  test("that a shell has too is still the program", async () => {
    expect(await run(["printf", "%s|", "a b", "", "$x", "'"])).toMatchObject({ stdout: "a b||$x|'|" });
    expect(await run(["exit", "5"])).toMatchObject({ exitCode: 127 });
  });

  // As `sbatch --signal` sends to every step before a job's time is over.
  test.each(["TERM", "INT", "HUP", "QUIT", "ALRM", "USR1", "USR2"])(
    "goes on after %s, which it handles",
    async (name) => {
      const script = `trap 'echo caught; exit 4' ${name}; kill -s ${name} 0; echo lost`;
      expect(await run(shell(script))).toEqual({ exitCode: 4, stdout: "caught\n", stderr: "" });
    },
  );

  test.each(["/nonexistent", "no-such-program", "/etc", "/etc/passwd"])("%s is no program", async (program) => {
    expect(await failure(run([program]))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });
});
