import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Operation } from "@slipway/core";
import { confineCommand, type IsolationTools } from "@slipway/provider-kit/sandbox";
import { failure, rowOfWords } from "./errors.ts";
import { removeTree } from "./state/durable-file.ts";

/** How a copy went: its exit code, and each line of complaint. */
export interface CopyOutcome {
  readonly code: number | null;
  readonly complaints: readonly string[];
}
export type RunCopy = (file: string, args: readonly string[], signal?: AbortSignal) => Promise<CopyOutcome>;

export interface CopyCall {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
  /**
   * The source is in use: what goes away meanwhile is left out. The caller then makes sure that it was not the whole
   * source.
   */
  readonly live: boolean;
  /** With these the copy runs where nothing of the host is to be seen but the two directories. */
  readonly confinedBy: Pick<IsolationTools, "bwrap"> | null;
}

// Clones blocks where the file system can, so that a copy costs little until one of the two is written.
const ARGUMENTS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ["-a", "--reflink=auto"],
  darwin: ["-a", "-c"],
};
const SOURCE_INSIDE = "/source";
const TARGET_INSIDE = "/target";
const VANISHED = /: No such file or directory$/;
// What stood under the name was replaced between two looks of `cp`, and is left out though it was there all the time.
const REPLACED =
  /as it was replaced while being copied$|: (Not a directory|Is a directory|Too many levels of symbolic links|Stale file handle|File exists)$|cannot read symbolic link .*: Invalid argument$|cannot overwrite |will not (overwrite|create hard link)/;
const MOST_PASSES = 3;
// Past it only the first of each worse kind.
const MOST_COMPLAINTS = 1_000;

/**
 * Copies a directory with modes, owners, times and links. Of a source that is in use, a file that is replaced in the
 * moment of its copy makes a new pass; after three the copy goes without it. Throws `copy-failed`, or the signal's
 * reason.
 */
export async function copyTree(from: string, to: string, call: CopyCall, run: RunCopy = runCopy): Promise<void> {
  const { operation, signal, live } = call;
  for (let pass = 1; ; pass++) {
    await mkdir(to, { recursive: true });
    const { code, complaints } = await run(...copyCommand(from, to, call.confinedBy), signal);
    signal?.throwIfAborted();
    if (code === 0) return;
    const bad = live ? complaints.find((line) => !isOfALiveTree(line)) : complaints[0];
    if (bad !== undefined || !live || complaints.length === 0) {
      const said = bad ?? `cp exited with ${code}`;
      throw failure(rowOfWords(said) ?? "copy-failed", operation, `${from} could not be copied: ${said}`);
    }
    if (pass === MOST_PASSES || complaints.every((line) => VANISHED.test(line))) return;
    await removeTree(to);
  }
}

function isOfALiveTree(line: string): boolean {
  return gravity(line) < 2;
}

/** 0: left out. 1: a new pass. 2: no matter of a tree in use. */
function gravity(line: string): number {
  if (VANISHED.test(line)) return 0;
  return REPLACED.test(line) ? 1 : 2;
}

function copyCommand(
  from: string,
  to: string,
  confinedBy: CopyCall["confinedBy"],
): readonly [file: string, args: readonly string[]] {
  const settings = ARGUMENTS[process.platform] ?? ["-a"];
  if (confinedBy === null) return ["cp", [...settings, "--", `${from}/.`, to]];
  return confineCommand(
    confinedBy,
    [
      { source: from, target: SOURCE_INSIDE, readOnly: true },
      { source: to, target: TARGET_INSIDE },
    ],
    ["cp", ...settings, "--", `${SOURCE_INSIDE}/.`, TARGET_INSIDE],
  );
}

const runCopy: RunCopy = (file, args, signal) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" as const }),
    });
    const complaints: string[] = [];
    let worst = 0;
    createInterface({ input: child.stderr }).on("line", (line) => {
      const now = gravity(line);
      if (complaints.length < MOST_COMPLAINTS || now > worst) complaints.push(line);
      worst = Math.max(worst, now);
    });
    child.on("error", (error) => (signal?.aborted === true ? undefined : reject(error)));
    child.on("close", (code) => resolve({ code, complaints }));
  });
