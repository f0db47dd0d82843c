import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/**
 * What the suite's workflows do, as files: so that a case sees it from another process, and a kill takes none of it back.
 * A thing is made under its key, and making it twice is one thing.
 */
export interface EngineWorld {
  readonly make: (key: string, name: string) => void;
  readonly unmake: (key: string) => void;
  readonly things: () => readonly string[];
  readonly note: (line: string) => void;
  readonly trace: () => readonly string[];
  /** Where a host is to die, once for each point, in this order. */
  readonly dieAt: (...points: readonly string[]) => void;
  /** Lets a host die once, after it has passed so many points of whatever name. */
  readonly dieAfter: (points: number) => void;
  /** Is this where the host has to die? Then it is so only once. */
  readonly takeDeath: (point: string) => boolean;
  /** Opens what `opened` waits for. */
  readonly open: (gate: string) => void;
  /** Resolves once the gate is open, or the signal aborts. */
  readonly opened: (gate: string, signal?: AbortSignal) => Promise<void>;
}

const LOOK_MS = 10;

export function engineWorld(directory: string): EngineWorld {
  const trace = join(directory, "trace");
  const deaths = join(directory, "die-at");
  const countdown = join(directory, "die-after");
  const linesOf = (path: string): readonly string[] =>
    existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  return {
    make: (key, name) => writeFileSync(join(directory, `thing-${key}`), name),
    unmake: (key) => rmSync(join(directory, `thing-${key}`), { force: true }),
    things: () =>
      readdirSync(directory)
        .filter((file) => file.startsWith("thing-"))
        .map((file) => readFileSync(join(directory, file), "utf8"))
        .toSorted(),
    note: (line) => appendFileSync(trace, `${line}\n`),
    trace: () => linesOf(trace),
    dieAt: (...points) => writeFileSync(deaths, points.map((point) => `${point}\n`).join("")),
    dieAfter: (points) => writeFileSync(countdown, String(points)),
    takeDeath: (point) => {
      if (existsSync(countdown)) {
        const left = Number(readFileSync(countdown, "utf8"));
        if (left <= 0) rmSync(countdown);
        else writeFileSync(countdown, String(left - 1));
        return left <= 0;
      }
      const [next, ...later] = linesOf(deaths);
      if (next !== point) return false;
      writeFileSync(deaths, later.map((each) => `${each}\n`).join(""));
      return true;
    },
    open: (gate) => writeFileSync(join(directory, `gate-${gate}`), ""),
    opened: async (gate, signal) => {
      // Another process opens it: it is asked again.
      while (!existsSync(join(directory, `gate-${gate}`)) && signal?.aborted !== true) await pause(LOOK_MS);
    },
  };
}

/** Looks again until the trace has a line, for at most a minute. */
export async function untilTraced(world: EngineWorld, line: string): Promise<void> {
  for (const until = Date.now() + 60_000; !world.trace().includes(line); await pause(LOOK_MS)) {
    if (Date.now() > until) throw new Error(`nothing wrote ${JSON.stringify(line)} within a minute`);
  }
}
