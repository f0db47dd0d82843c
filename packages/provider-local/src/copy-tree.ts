import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import type { Operation } from "@slipway/core";
import { failure, rowOfWords } from "./errors.ts";

// Clones blocks where the file system can, so that a copy costs little until one of the two is written.
const ARGUMENTS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ["-a", "--reflink=auto"],
  darwin: ["-a", "-c"],
};
const MAX_WORDS = 2000;

/**
 * Copies a directory with modes, owners, times, links and devices. From a source that is in use (`live`), files that go
 * away meanwhile are left out; the caller then makes sure that it was not the whole source. Throws `copy-failed`, or the
 * signal's reason.
 */
export async function copyTree(
  from: string,
  to: string,
  call: { readonly operation: Operation; readonly signal?: AbortSignal | undefined; readonly live: boolean },
): Promise<void> {
  const { operation, signal, live } = call;
  await mkdir(to, { recursive: true });
  const args = [...(ARGUMENTS[process.platform] ?? ["-a"]), "--", `${from}/.`, to];
  const { code, said } = await run(args, signal);
  signal?.throwIfAborted();
  if (code === 0 || (live && onlyVanished(said))) return;
  throw failure(
    rowOfWords(said) ?? "copy-failed",
    operation,
    `${from} could not be copied: ${said.trim().split("\n")[0] ?? `cp exited with ${code}`}`,
  );
}

function run(args: readonly string[], signal: AbortSignal | undefined): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("cp", args, {
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" as const }),
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (said.length < MAX_WORDS) said += chunk.toString("utf8");
    });
    child.on("error", (error) => (signal?.aborted === true ? undefined : reject(error)));
    child.on("close", (code) => resolve({ code, said }));
  });
}

function onlyVanished(said: string): boolean {
  const lines = said.trim().split("\n");
  return said.length < MAX_WORDS && lines.every((line) => line.endsWith(": No such file or directory"));
}
