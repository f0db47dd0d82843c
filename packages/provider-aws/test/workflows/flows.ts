import "@aws-sdk/client-ec2";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore, isWorkflowError, memoryStore, runWorkflow, type Store, WorkflowError } from "@slipway/control";
import type { Workflow } from "@slipway/core";
import { onTestFinished } from "vitest";
import type { Ec2EmulatorSettings } from "../../emulator/index.ts";
import { type AwsRegistration, register } from "../../src/index.ts";
import { CREDENTIALS, runtimeOf } from "../aws-harness.ts";
import { type AwsWorld, awsWorld, type Wire, wired } from "../world.ts";

class Killed extends Error {}

export interface FlowWorld extends AwsWorld {
  /** A new process: its registration shares nothing but the remote. */
  readonly process: () => Promise<AwsRegistration>;
  readonly journal: Store;
  readonly live: () => readonly { readonly id: string; readonly zone: string; readonly lifecycle: string }[];
}

export type StoreName = "memory" | "file";
export const STORES: readonly StoreName[] = ["memory", "file"];

/** As `flowWorld`, with the runs kept in memory or in files, for the test that calls it. */
export async function storedWorld(store: StoreName, settings: Ec2EmulatorSettings = {}): Promise<FlowWorld> {
  const world = flowWorld(settings);
  if (store === "memory") return world;
  const folder = await mkdtemp(join(tmpdir(), "slipway-aws-flow-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { ...world, journal: fileStore(folder) };
}

/** `wire` stands between the workflows' processes and the remote. */
export function flowWorld(
  settings: Ec2EmulatorSettings = {},
  {
    readAfterWriteMs = 3_000,
    regions = ["us-east-1"],
    wire,
  }: { readonly readAfterWriteMs?: number; readonly regions?: readonly string[]; readonly wire?: Wire } = {},
): FlowWorld {
  const world = awsWorld({ bootMs: 5_000, endMs: 1_000, ...settings });
  const { runtime: plain = {} } = world.options();
  const { fetch = globalThis.fetch } = plain;
  const runtime = wire === undefined ? plain : { ...plain, fetch: wired(fetch, wire) };
  const config = { credentials: CREDENTIALS, regions, readAfterWriteMs };
  return {
    ...world,
    journal: memoryStore(),
    process: () =>
      register(config, { owner: "tests", variables: {}, runtime: { ...runtimeOf(world.emulator), ...runtime } }),
    live: () => world.emulator.control.instances().filter(({ live }) => live),
  };
}

/**
 * Runs a workflow in processes that are killed at these points, in order, until it ends; takes out each that was reached.
 * `restMs`: how long nobody goes on with it.
 */
export async function runKilled<In, Out>(
  world: FlowWorld,
  flowOf: (registration: AwsRegistration) => Workflow<In, Out>,
  input: In,
  killAt: string[],
  runId = "run",
  restMs = 0,
): Promise<Out> {
  for (;;) {
    const workflow = flowOf(await world.process());
    try {
      return await runWorkflow(workflow, input as never, {
        journal: world.journal,
        clock: world.emulator.clock,
        runId,
        failpoint: (name) => {
          if (name !== killAt[0]) return;
          killAt.shift();
          throw new Killed(name);
        },
      });
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      if (restMs > 0) await world.emulator.clock.sleep(restMs);
    }
  }
}

/** Waits until `look` finds something. */
export async function until<T>(look: () => T | false, { emulator }: AwsWorld): Promise<T> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const found = look();
    if (found !== false) return found;
    await emulator.clock.sleep(100);
  }
  throw new Error("it never came");
}

export async function workflowFailure(work: Promise<unknown>): Promise<WorkflowError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (isWorkflowError(error)) return error;
  throw error instanceof Error ? error : new Error("it resolved");
}
