import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ErrorTableRow } from "@slipway/contract-tests";
import {
  assertSupports,
  canExec,
  type Instance,
  nameFor,
  type Operation,
  type Provider,
  type Snapshot,
} from "@slipway/core";
import { type Isolation, tryFileLock } from "@slipway/provider-kit/sandbox";
import { LOCAL_ERRORS, type LocalErrorId } from "../src/errors.ts";
import { crash } from "./machine-inspector.ts";
import { hurry, stateDirectoryOf } from "./state-directories.ts";

interface Provocation {
  readonly operation: Operation;
  readonly provoke: (provider: Provider) => Promise<unknown>;
  /** Only where this isolation is used. */
  readonly only?: Isolation;
}

const MIB = 1024 * 1024;

/** How each row is brought about for real. What is not here cannot be: it has a unit test. */
const PROVOCATIONS: { readonly [Id in LocalErrorId]?: Provocation } = {
  "other-spec": {
    operation: "spawn",
    provoke: async (provider) => {
      await provider.spawn({ key: "taken" });
      return await provider.spawn({ key: "taken", labels: { other: "yes" } });
    },
  },
  "name-taken": {
    operation: "spawn",
    provoke: (provider) => {
      const theirs = instanceDirectory(provider, "k");
      mkdirSync(theirs, { recursive: true });
      return without(theirs, provider.spawn({ key: "k" }));
    },
  },
  busy: {
    operation: "spawn",
    provoke: async (provider) => {
      const locks = join(stateDirectoryOf(provider), "locks");
      mkdirSync(locks, { recursive: true });
      const lock = await tryFileLock(join(locks, `instances.${nameFor(provider.owner, "held")}`));
      const calm = hurry(provider);
      return await provider.spawn({ key: "held" }).finally(async () => {
        calm();
        await lock?.release();
      });
    },
  },
  "corrupt-record": {
    operation: "list",
    provoke: async (provider) => {
      await provider.spawn({ key: "whole" });
      const broken = instanceDirectory(provider, "broken");
      mkdirSync(broken, { recursive: true });
      writeFileSync(join(broken, "record.json"), '{"version":1');
      return await without(broken, provider.list());
    },
  },
  "no-space": {
    operation: "createVolume",
    provoke: async (provider) => {
      assertSupports(provider, "persistentVolumes");
      return await provider.createVolume({ key: "huge", sizeBytes: Number.MAX_SAFE_INTEGER });
    },
  },
  "not-writable": {
    operation: "spawn",
    provoke: (provider) => {
      // The kernel's own file system takes no file, from root neither.
      const locks = join(stateDirectoryOf(provider), "locks");
      symlinkSync("/sys", locks);
      return without(locks, provider.spawn({ key: "k" }));
    },
  },
  "state-unreadable": {
    operation: "list",
    provoke: (provider) => {
      const instances = join(stateDirectoryOf(provider), "instances");
      writeFileSync(instances, "");
      return without(instances, provider.list());
    },
  },
  "not-started": {
    operation: "spawn",
    only: "bubblewrap",
    provoke: async (provider) => {
      assertSupports(provider, "persistentVolumes");
      const volume = await provider.createVolume({ key: "v", sizeBytes: MIB });
      rmSync(join(stateDirectoryOf(provider), "volumes", nameFor(provider.owner, "v"), "content"), { recursive: true });
      return await provider.spawn({ key: "k", volumes: [{ id: volume.id, mountPath: "/data" }] });
    },
  },
  "bad-request": {
    operation: "spawn",
    provoke: async (provider) => {
      assertSupports(provider, "persistentVolumes");
      return await provider.spawn({ key: "k", volumes: [{ id: "any", mountPath: "/proc/x" }] });
    },
  },
  "unknown-instance": {
    operation: "createSnapshot",
    provoke: async (provider) => {
      assertSupports(provider, "snapshots");
      return await provider.createSnapshot("none", { key: "s" });
    },
  },
  "not-running": {
    operation: "exec",
    provoke: async (provider) => {
      const { id } = await provider.spawn({ key: "k" });
      await crash(id);
      return await run(provider, id, ["true"]);
    },
  },
  "unknown-snapshot": {
    operation: "spawn",
    provoke: async (provider) => {
      assertSupports(provider, "snapshots");
      return await provider.spawn({ key: "k", fromSnapshot: "none" });
    },
  },
  "snapshot-not-available": {
    operation: "spawn",
    provoke: async (provider) => {
      assertSupports(provider, "snapshots");
      const { id } = await snapshotOf(provider);
      const record = join(stateDirectoryOf(provider), "snapshots", nameFor(provider.owner, "s"), "record.json");
      writeFileSync(record, readFileSync(record, "utf8").replace('"available"', '"pending"'));
      return await provider.spawn({ key: "k", fromSnapshot: id });
    },
  },
  "unknown-volume": {
    operation: "spawn",
    provoke: async (provider) => {
      assertSupports(provider, "persistentVolumes");
      return await provider.spawn({ key: "k", volumes: [{ id: "none", mountPath: "/data" }] });
    },
  },
  "volume-attached": {
    operation: "deleteVolume",
    provoke: async (provider) => {
      assertSupports(provider, "persistentVolumes");
      const { id } = await provider.createVolume({ key: "v", sizeBytes: MIB });
      await provider.spawn({ key: "k", volumes: [{ id, mountPath: "/data" }] });
      return await provider.deleteVolume(id);
    },
  },
  "copy-failed": {
    operation: "spawn",
    provoke: async (provider) => {
      assertSupports(provider, "snapshots");
      const { id } = await snapshotOf(provider);
      rmSync(join(stateDirectoryOf(provider), "snapshots", nameFor(provider.owner, "s"), "content"), {
        recursive: true,
      });
      return await provider.spawn({ key: "k", fromSnapshot: id });
    },
  },
  "too-much-output": {
    operation: "exec",
    provoke: async (provider) => {
      const { id } = await provider.spawn({ key: "k" });
      return await run(provider, id, ["yes"]);
    },
  },
};

/** The provider's own table, with what brings each row about. */
export function errorRows(isolation: Isolation): readonly ErrorTableRow[] {
  return Object.entries(PROVOCATIONS)
    .filter(([, { only }]) => only === undefined || only === isolation)
    .map(([id, { operation, provoke }]) => {
      // The table's keys are the ids.
      const { code, effect } = LOCAL_ERRORS[id as LocalErrorId];
      return { id, operation, code, effect, provoke };
    });
}

/** The rows that no test can bring about on a sound machine. */
export const UNPROVOKED: readonly LocalErrorId[] = ["not-ended", "no-sandbox", "no-terminal"];

export function provokedIds(): readonly string[] {
  return Object.keys(PROVOCATIONS);
}

async function snapshotOf(provider: Provider<Instance, Snapshot, "snapshots">): Promise<{ readonly id: string }> {
  const { id } = await provider.spawn({ key: "source" });
  return await provider.createSnapshot(id, { key: "s" });
}

/** What was put there to provoke the error goes away after it. */
function without(path: string, call: Promise<unknown>): Promise<unknown> {
  return call.finally(() => rmSync(path, { recursive: true, force: true }));
}

async function run(provider: Provider, id: string, argv: readonly string[]): Promise<unknown> {
  if (!canExec(provider)) throw new Error("local has exec");
  return await provider.exec(id, argv);
}

function instanceDirectory(provider: Provider, key: string): string {
  return join(stateDirectoryOf(provider), "instances", nameFor(provider.owner, key));
}
