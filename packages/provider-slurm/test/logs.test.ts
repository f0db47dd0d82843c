import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock, Exec } from "@slipway/core";
import { bootstrapPaths } from "@slipway/provider-kit/bootstrap";
import { expect, onTestFinished, test } from "vitest";
import { slurm } from "../src/index.ts";
import { writeComment } from "../src/ownership.ts";

const OWNER = "tests";
const TOKEN = "0123456789ab";
const comment = writeComment({
  ownership: { owner: OWNER, key: "a", specHash: "h", labels: {} },
  token: TOKEN,
  asksMemory: false,
});

/** A running job whose log is a file here: what `srun` is given runs for real. Each sleep calls the next of `steps`. */
function followed(steps: readonly ((log: string) => void)[]) {
  const directory = mkdtempSync(join(tmpdir(), "slipway-slurm-logs-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const log = bootstrapPaths(join(directory, `slipway-${TOKEN}-7-0`)).log;
  mkdirSync(dirname(log), { recursive: true });
  const [first, ...later] = steps;
  first?.(log);
  let isRunning = true;
  const record = (): string =>
    ["\x1e7", "1700000000", "n", isRunning ? "RUNNING" : "CANCELLED", "None", "main", "n1", "1", "64M", "N/A", "", ""]
      .concat("1700000001", "1700003601", "0:10", comment)
      .join("\x1f");
  const exec: Exec = async (program, args) => {
    const done = (stdout: string) => ({ exitCode: 0, signal: null, stdout, stderr: "" });
    if (program === "squeue") return done(record());
    if (program !== "srun") return done("ClusterName = c\n");
    const [file = "", ...words] = args.slice(args.indexOf("--") + 1);
    return await new Promise((resolve, reject) => {
      execFile(file, words, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
        error === null ? resolve(done(stdout)) : reject(error),
      );
    });
  };
  const clock: Clock = {
    now: () => Date.parse("2026-01-01"),
    // The pause before a read of the queue is the client's, and short; the log grows in the longer one.
    sleep: async (ms) => {
      if (ms < 1_000) return;
      const step = later.shift();
      if (step === undefined) isRunning = false;
      else step(log);
    },
  };
  const provider = slurm({ owner: OWNER, bootstrapDirectory: directory, runtime: { exec, clock } });
  return provider.logs("c/7@1700000000", { follow: true });
}

test("a character that is written in two halves is read whole, and nothing is read twice", async () => {
  const text = Buffer.from("gr\u00fc\u00dfe\n\u{1f680} off\n");
  const cuts = [0, 3, 4, 9, 11, text.length];
  const steps = cuts
    .slice(1)
    .map((end, index) => (log: string) => appendFileSync(log, text.subarray(cuts[index], end)));
  expect(await allOf(followed(steps))).toEqual(["gr\u00fc\u00dfe", "\u{1f680} off"]);
});

test("a log that is larger than one read is read to its end", async () => {
  const line = `${"x".repeat(99)}\n`;
  const lines = await allOf(followed([(log) => appendFileSync(log, line.repeat(50_000))]));
  expect(lines).toHaveLength(50_000);
  expect(new Set(lines).size).toBe(1);
});

async function allOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
