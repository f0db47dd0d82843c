import { z } from "zod";
import { type ActionTable, action, filled, filters, list, paging, tagSpecifications, text } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, oneFound, SNAPSHOT, VOLUME } from "./found.ts";
import { time } from "./instance-view.ts";
import { paged } from "./paging.ts";
import { checkSpecifications, tagSet, tagsFor } from "./tagging.ts";
import type { Snapshot } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { allAt, newId } from "./world.ts";

// One volume is copied so often at most.
const BETWEEN_MS = 15_000;

const create = z.strictObject({
  VolumeId: filled,
  Description: text.optional(),
  TagSpecification: tagSpecifications.optional(),
});
const describe = z.strictObject({
  SnapshotId: list(filled).optional(),
  Owner: list(filled).optional(),
  RestorableBy: list(filled).optional(),
  Filter: filters.optional(),
  ...paging,
});
const remove = z.strictObject({ SnapshotId: filled });

const FILTERS: FilterTable<Snapshot> = {
  "snapshot-id": ({ id }) => [id],
  status: ({ state }) => [state],
  "volume-id": ({ volumeId }) => [volumeId],
  "volume-size": ({ sizeGib }) => [String(sizeGib)],
  description: ({ description }) => [description],
  encrypted: ({ encrypted }) => [String(encrypted)],
  "start-time": ({ startedAt }) => [time(startedAt)],
};

export const snapshotActions: ActionTable = {
  CreateSnapshot: action(create, ({ region, world, now }, request) => {
    checkSpecifications(request.TagSpecification, ["snapshot"]);
    const volume = oneFound(VOLUME, region.volumes, request.VolumeId, now);
    if (volume.state === "creating" || volume.state === "deleting") {
      refuse("IncorrectState", `The volume '${volume.id}' is '${volume.state}'`);
    }
    const isTooSoon = allAt(region.snapshots, now).some(
      ({ volumeId, startedAt }) => volumeId === volume.id && now - startedAt < BETWEEN_MS,
    );
    if (isTooSoon) {
      refuse(
        "SnapshotCreationPerVolumeRateExceeded",
        "The maximum per volume CreateSnapshot request rate has been exceeded.",
      );
    }
    const snapshot: Snapshot = {
      id: newId(world, "snap"),
      volumeId: volume.id,
      sizeGib: volume.sizeGib,
      encrypted: volume.encrypted,
      description: request.Description ?? "",
      startedAt: now,
      state: "pending",
      tags: tagsFor("snapshot", request.TagSpecification),
    };
    const line = new Timeline<Snapshot>(now, snapshot);
    line.turn(now, { inMs: world.settings.imageMs, patch: (one) => ({ ...one, state: "completed" }) });
    region.snapshots.set(snapshot.id, line);
    world.changes += 1;
    return snapshotFields(snapshot, world.settings.account);
  }),
  DescribeSnapshots: action(describe, ({ region, world, seenAt }, { SnapshotId, Filter, Owner: _owner, ...page }) => {
    if (SnapshotId !== undefined && page.MaxResults !== undefined) {
      refuse("InvalidParameterCombination", "The parameter snapshotSet cannot be used with the parameter maxResults");
    }
    const all =
      SnapshotId === undefined
        ? allAt(region.snapshots, seenAt)
        : found(SNAPSHOT, region.snapshots, SnapshotId, seenAt);
    const { items, nextToken } = paged("DescribeSnapshots", filtered(all, Filter, FILTERS), page);
    return { snapshotSet: items.map((one) => snapshotFields(one, world.settings.account)), nextToken };
  }),
  DeleteSnapshot: action(remove, ({ region, world, now }, { SnapshotId }) => {
    oneFound(SNAPSHOT, region.snapshots, SnapshotId, now);
    const user = allAt(region.images, now).find(({ devices }) => devices.some((one) => one.snapshotId === SnapshotId));
    if (user !== undefined) {
      refuse("InvalidSnapshot.InUse", `The snapshot ${SnapshotId} is currently in use by ${user.id}`);
    }
    region.snapshots.get(SnapshotId)?.turn(now, { inMs: 0, patch: () => null });
    world.changes += 1;
    return { return: true };
  }),
};

function snapshotFields(one: Snapshot, account: string): XmlFields {
  return {
    snapshotId: one.id,
    volumeId: one.volumeId,
    status: one.state,
    startTime: time(one.startedAt),
    progress: one.state === "completed" ? "100%" : "40%",
    ownerId: account,
    volumeSize: one.sizeGib,
    description: one.description,
    encrypted: one.encrypted,
    storageTier: "standard",
    tagSet: tagSet(one.tags),
  };
}
