import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { namePrefixFor } from "@slipway/core";
import type { Isolation, IsolationReport } from "@slipway/provider-kit/sandbox";
import { onTestFinished } from "vitest";
import { type LocalProvider, local } from "../src/index.ts";
import { isolationsHere, variablesFor } from "./local-harness.ts";
import { kill, taggedProcesses } from "./machine-inspector.ts";

/** The isolations that are tested with. */
export const isolations: readonly IsolationReport[] = await isolationsHere();
export const hasBubblewrap: boolean = isolations.some(({ isolation }) => isolation === "bubblewrap");

export interface World {
  readonly owner: string;
  readonly stateDirectory: string;
  readonly provider: LocalProvider;
  /** Ids of this world's instances that have processes, by the process table. */
  readonly live: () => readonly string[];
}

let worlds = 0;

/** A state directory of its own, that goes away with every process after the test. */
export function world(isolation: Isolation): World {
  const owner = `test-${process.pid}-${++worlds}`;
  const stateDirectory = mkdtempSync(join(tmpdir(), "slipway-local-"));
  const ours = (): readonly { readonly pid: number; readonly id: string }[] =>
    taggedProcesses().filter(({ id }) => id.startsWith(namePrefixFor(owner)));
  onTestFinished(() => {
    for (const { pid } of ours()) kill(pid);
    rmSync(stateDirectory, { recursive: true, force: true });
  });
  return {
    owner,
    stateDirectory,
    provider: local({ owner, stateDirectory, variables: variablesFor(isolation) }),
    live: () => [...new Set(ours().map(({ id }) => id))].sort(),
  };
}

/** Looks until it is so; real processes have no clock of ours. */
export async function until<T>(look: () => T | Promise<T>, done: (seen: Awaited<T>) => boolean): Promise<Awaited<T>> {
  for (let tries = 0; tries < 1000; tries++) {
    const seen = await look();
    if (done(seen)) return seen;
    await pause(10);
  }
  throw new Error("waited in vain");
}

export async function linesOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
