import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@slipway/core";
import { onTestFinished } from "vitest";
import { type CommandError, isCommandError } from "../../src/command/index.ts";

/** A directory that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-kit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Arguments that run JavaScript in this very Node. */
export function node(script: string): readonly [file: string, args: readonly string[]] {
  return [process.execPath, ["-e", script]];
}

/** Waits, up to ten seconds of real time, for what a real process does. */
export async function eventually<T>(look: () => T | undefined | false): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`it did not come true: ${look.toString()}`);
    await sleep(10);
  }
}

/** The number that a process wrote into a file, as soon as it is there. */
export async function pidIn(file: string): Promise<number> {
  return await eventually(() => {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text.endsWith("\n") && Number(text);
  });
}

/** Does it run? A zombie that nobody has collected yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  try {
    return !/\) Z /.test(readFileSync(stat, "utf8"));
  } catch {
    return !existsSync("/proc/self/stat");
  }
}

/** The CommandError that a call rejects with; anything else is thrown on. */
export async function faultOf(call: Promise<unknown>): Promise<CommandError> {
  const error: unknown = await call.then(
    () => new Error("it gave a result"),
    (reason: unknown) => reason,
  );
  if (!isCommandError(error)) throw error;
  return error;
}

/** Time moves when the test says so. */
export function handClock(): Clock & { readonly advance: (ms: number) => void } {
  let now = 1_000_000;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
        });
      }),
    advance: (ms) => {
      now += ms;
      for (const sleeper of sleepers) if (sleeper.until <= now && sleepers.delete(sleeper)) sleeper.wake();
    },
  };
}
