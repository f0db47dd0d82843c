import { assertSupports, type Instance, type Provider, type Snapshot } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { errorOf, must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";
import { eventually } from "../waiting.ts";

type Snapshotting = Provider<Instance, Snapshot, "snapshots">;
const able = (provider: Provider): Snapshotting => {
  assertSupports(provider, "snapshots");
  return provider;
};
const ids = (snapshots: readonly Snapshot[]): readonly string[] => snapshots.map(({ id }) => id).sort();
const UNKNOWN = "no-such-snapshot";

export const snapshotsRules: Rules<"SNAP"> = {
  "SNAP-01":
    "`createSnapshot` answers a snapshot of that instance, with owner and key, which becomes `available` or `failed` by itself.",
  "SNAP-02": "The same key and instance give the same snapshot; nothing is made twice.",
  "SNAP-03": "`getSnapshotStatus` gives null only if there is no such snapshot.",
  "SNAP-04": "`deleteSnapshot` removes all that the snapshot costs, and resolves for ids that are gone or unknown.",
  "SNAP-05": "`listSnapshots` is complete, keeps to this owner unless asked otherwise, and filters by instance.",
  "SNAP-06":
    "`spawn({ fromSnapshot })` makes an instance from an available snapshot; an unknown one is INVALID_SPEC or NOT_FOUND with effect `none`.",
  "SNAP-07": "A snapshot of an unknown instance is NOT_FOUND with effect `none`, and a malformed key INVALID_SPEC.",
};

/** Copies of instances. */
export const snapshotsCases: Cases<"snapshots"> = {
  "snapshots.created": {
    title: "answers a snapshot of that instance with owner and key",
    rules: ["SNAP-01"],
    run: async (context) => {
      const key = context.key();
      const { instance, snapshot } = await taken(context, key);
      mustHaveShape("SNAP-01", snapshot, "snapshot");
      mustEqual("SNAP-01", "its instance", snapshot.instanceId ?? instance.id, instance.id, "Tell the instance's id.");
      const tags = [snapshot.owner ?? context.subject.owner, snapshot.key ?? key];
      mustEqual("SNAP-01", "owner and key", tags, [context.subject.owner, key], "Write both in the creating call.");
    },
  },
  "snapshots.same-key": {
    title: "answers the same snapshot for the same key",
    rules: ["SNAP-02"],
    run: async (context) => {
      const key = context.key();
      const { instance, snapshot } = await taken(context, key);
      await available(context, snapshot.id);
      const again = await context.unchanged("SNAP-02", "a repeated createSnapshot", () =>
        able(context.provider).createSnapshot(instance.id, { key }),
      );
      mustEqual("SNAP-02", "the second snapshot", again.id, snapshot.id, "Look the key up first.");
      const elsewhere = await able(await context.another()).createSnapshot(instance.id, { key });
      mustEqual("SNAP-02", "another process's snapshot", elsewhere.id, snapshot.id, "Look the key up first.");
    },
  },
  "snapshots.becomes-available": {
    title: "becomes available by itself",
    rules: ["SNAP-01"],
    run: async (context) => {
      const { snapshot } = await taken(context);
      const status = await available(context, snapshot.id);
      mustEqual("SNAP-01", "its status", status, "available", "Map the remote's states.");
    },
  },
  "snapshots.status-unknown": {
    title: "gives null for a snapshot that is not there",
    rules: ["SNAP-03"],
    run: async ({ provider }) => {
      const status = await able(provider).getSnapshotStatus(UNKNOWN);
      must(status === null, "SNAP-03", `it is ${shown(status)}`, "Answer null for a clear not-found.");
    },
  },
  "snapshots.deleted": {
    title: "removes a snapshot, however often it is asked to",
    rules: ["SNAP-04"],
    run: async (context) => {
      const { snapshot } = await taken(context);
      await available(context, snapshot.id);
      const provider = able(context.provider);
      for (let i = 0; i < 3; i++) {
        const outcome = await settled(() => provider.deleteSnapshot(snapshot.id));
        must(outcome.ok, "SNAP-04", `call ${i + 1}: ${shown(errorOf(outcome))}`, "Take not-found as done.");
        await context.settle();
      }
      const left = await eventually(
        context,
        () => provider.listSnapshots(),
        (found) => found.length === 0,
      );
      mustEqual("SNAP-04", "listSnapshots()", ids(left), [], "Delete all that it costs.");
    },
  },
  "snapshots.delete-unknown": {
    title: "resolves for a snapshot that never was",
    rules: ["SNAP-04"],
    run: async ({ provider }) => {
      const outcome = await settled(() => able(provider).deleteSnapshot(UNKNOWN));
      must(outcome.ok, "SNAP-04", `it rejects: ${shown(errorOf(outcome))}`, "Take not-found as done.");
    },
  },
  "snapshots.listed": {
    title: "lists all snapshots, or those of one instance",
    rules: ["SNAP-05"],
    run: async (context) => {
      const provider = able(context.provider);
      const [a, b] = [await taken(context), await taken(context)];
      const all = ids(await provider.listSnapshots());
      mustEqual("SNAP-05", "listSnapshots()", all, ids([a.snapshot, b.snapshot]), "Read every page.");
      const ofA = ids(await provider.listSnapshots({ instanceId: a.instance.id }));
      mustEqual("SNAP-05", "listSnapshots({ instanceId })", ofA, [a.snapshot.id], "Apply the filter.");
    },
  },
  "snapshots.other-owner": {
    title: "keeps to this owner's snapshots unless asked for all",
    rules: ["SNAP-05"],
    run: async (context) => {
      const { snapshot } = await taken(context);
      const other = able(await context.another({ owner: "another-owner" }));
      mustEqual("SNAP-05", "another owner's list", ids(await other.listSnapshots()), [], "Filter by the owner's tag.");
      const all = ids(await other.listSnapshots({ owner: "*" }));
      must(all.includes(snapshot.id), "SNAP-05", `owner * finds ${shown(all)}`, "Filter by Slipway's tag alone.");
    },
  },
  "snapshots.restored": {
    title: "spawns an instance from an available snapshot",
    rules: ["SNAP-06"],
    run: async (context) => {
      const { snapshot } = await taken(context);
      await available(context, snapshot.id);
      const restored = await context.spawn({ fromSnapshot: snapshot.id });
      const last = await context.watch(restored.id, (instance) => instance?.status === "running");
      must(last?.status === "running", "SNAP-06", `it is ${last?.status}`, "Start it from the snapshot.");
    },
  },
  "snapshots.restore-unknown": {
    title: "refuses to spawn from a snapshot that is not there",
    rules: ["SNAP-06"],
    run: async ({ provider, request, unchanged }) => {
      await unchanged("SNAP-06", "a spawn from an unknown snapshot", () =>
        mustReject(
          "SNAP-06",
          "a spawn from an unknown snapshot",
          () => able(provider).spawn(request({ fromSnapshot: UNKNOWN })),
          { codes: ["INVALID_SPEC", "NOT_FOUND"], effect: "none" },
          "Look the snapshot up, or map the remote's refusal.",
        ),
      );
    },
  },
  "snapshots.refused": {
    title: "refuses an unknown instance and a malformed key",
    rules: ["SNAP-07"],
    run: async ({ provider, spawn, harness, key, unchanged }) => {
      const snapshotting = able(provider);
      await unchanged("SNAP-07", "a snapshot of nothing", () =>
        mustReject(
          "SNAP-07",
          "a snapshot of an unknown instance",
          () => snapshotting.createSnapshot(harness.unknownId, { key: key() }),
          { codes: ["NOT_FOUND"], effect: "none" },
          "Map the remote's not-found.",
        ),
      );
      const { id } = await spawn();
      await unchanged("SNAP-07", "a snapshot without a key", () =>
        mustReject(
          "SNAP-07",
          "a snapshot with an empty key",
          () => snapshotting.createSnapshot(id, { key: "" }),
          { codes: ["INVALID_SPEC"], effect: "none" },
          "Check it with core's isKey.",
        ),
      );
    },
  },
};

async function taken(
  context: CaseContext,
  key: string = context.key(),
): Promise<{ readonly instance: Instance; readonly snapshot: Snapshot }> {
  const instance = await context.spawn();
  await context.watch(instance.id, (seen) => seen?.status === "running");
  const snapshot = await able(context.provider).createSnapshot(instance.id, { key });
  await context.settle();
  return { instance, snapshot };
}

async function available(context: CaseContext, id: string): Promise<string | null> {
  const provider = able(context.provider);
  return await eventually(
    context,
    () => provider.getSnapshotStatus(id),
    (status) => status !== "pending",
  );
}
