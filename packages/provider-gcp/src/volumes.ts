import type { Operation, Volume, VolumeMount } from "@slipway/core";
import { isProviderError } from "@slipway/core";
import { type Call, utcTime, type VolumeDriver } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { isNotThere } from "./client.ts";
import { operationFailure } from "./errors.ts";
import { ownershipLabels } from "./ownership.ts";
import { type Address, addressOf, composeId, type GcpRemote, refusal, regionOf } from "./remote.ts";
import type { WireDisk } from "./wire.ts";
import { zoneFor } from "./zone.ts";

const GIGABYTE = 1024 ** 3;
const LEAST_GB = 10;
const MOST_GB = 65_536;
const ROLE = { label: "slipway-role", value: "volume" } as const;
const STATUSES: ReadonlyMap<string, Volume["status"]> = new Map<string, Volume["status"]>([
  ["CREATING", "pending"],
  ["RESTORING", "pending"],
  ["READY", "available"],
  ["DELETING", "deleting"],
  ["FAILED", "error"],
]);

/** Google's disks: of one zone, in use by one instance, and paid for by their size whether in use or not. */
export function gcpVolumes(remote: GcpRemote): VolumeDriver<WireDisk> {
  const { client, project, zones, owner } = remote;
  const idOf = ({ zone, name, id }: WireDisk): string => composeId({ project, zone, name, number: id });
  return {
    isId: (id) => addressOf(id) !== null,
    list: async (call) => {
      const found: WireDisk[] = [];
      // Boot disks bear the owner's label as well, and are no volumes.
      for await (const page of client.disks(call, `labels.${ROLE.label} = "${ROLE.value}"`, zones)) {
        found.push(...page.filter(({ labels }) => labels?.[ROLE.label] === ROLE.value));
      }
      return found;
    },
    identify: (disk) => ({
      id: idOf(disk),
      name: disk.name,
      region: regionOf(disk.zone),
      sizeBytes: Number(disk.sizeGb) * GIGABYTE,
    }),
    roundSize: ({ operation }, sizeBytes) => {
      const size = Math.max(LEAST_GB, Math.ceil(sizeBytes / GIGABYTE));
      if (size <= MOST_GB) return size * GIGABYTE;
      throw refusal("INVALID_SPEC", operation, `sizeBytes is ${size} GB, and a disk has at most ${MOST_GB}`);
    },
    toVolume: ({ status, zone, creationTimestamp }, base, attachedTo) => {
      const known = STATUSES.get(status) ?? "unknown";
      return {
        ...base,
        status: known === "available" && attachedTo !== null ? "attached" : known,
        zone,
        attachedTo,
        createdAt: utcTime(creationTimestamp),
      };
    },
    create: async (call, { key, name, sizeBytes, region }) => {
      const zone = zoneFor(remote, call.operation, key, { region });
      const labels = { ...ownershipLabels({ owner, key }), [ROLE.label]: ROLE.value };
      const body = { name, sizeGb: String(sizeBytes / GIGABYTE), description: key, labels };
      try {
        await ended(remote, call, zone, await client.insertDisk(call, zone, body, crypto.randomUUID()), "unknown");
      } catch (error) {
        if (isProviderError(error, "CONFLICT")) return { exists: withEffect(error, "none") };
        throw error;
      }
      const made = await client.disk(call, zone, name);
      if (made !== null) return { volume: made };
      throw refusal("UNAVAILABLE", call.operation, `the disk ${name} was made and cannot be read`, {
        effect: "applied",
      });
    },
    destroy: async (call, id) => {
      const address = addressOf(id);
      if (address === null || address.project !== project) return "gone";
      const { zone, name, number } = address;
      // The list leaves out what does not bear our tag: a disk of somebody else's is there all the same.
      const there = await client.disk(call, zone, name);
      if (there === null || there.id !== number) return "gone";
      if (there.labels?.[ROLE.label] !== ROLE.value) {
        throw refusal("CONFLICT", call.operation, `the disk ${id} was not made by Slipway: it is left alone`, {
          nativeId: number,
        });
      }
      try {
        const sent = await client.removeDisk(call, zone, number, crypto.randomUUID());
        await ended(remote, call, zone, sent, "none");
        return "accepted";
      } catch (error) {
        if (!isNotThere(error) && !isProviderError(error, "NOT_FOUND")) throw error;
      }
      // What a read has just shown is not gone because one answer says so.
      const still = await client.disk(call, zone, name);
      if (still === null || still.id !== number) return "gone";
      throw refusal("UNAVAILABLE", call.operation, `Google says that the disk ${id} is not there, and shows it`, {
        effect: "unknown",
        nativeId: number,
      });
    },
    attachments: async (call, volumes) => {
      const used = new Map<string, string>();
      for (const disk of volumes) {
        const user = disk.users?.[0]?.split("/").at(-1);
        const instance = user === undefined ? null : await client.instance(call, disk.zone, user);
        if (instance === null) continue;
        const { zone, name, id: number } = instance;
        used.set(idOf(disk), composeId({ project, zone, name, number }));
      }
      return used;
    },
  };
}

/** Waits for the operation; a failure in it changed nothing, or its effect is unknown. */
async function ended(
  { client }: GcpRemote,
  call: Call,
  zone: string,
  sent: Parameters<typeof client.finished>[2],
  effect: "none" | "unknown",
): Promise<void> {
  const done = await client.finished(call, zone, sent).catch((error: unknown) => {
    throw isProviderError(error) ? withEffect(error, "unknown") : error;
  });
  const failure = operationFailure(done, call.operation);
  if (failure !== null) throw withEffect(failure, effect);
}

/** Where the volumes of a spawn are. Throws INVALID_SPEC: they are of one zone, and each is attached once. */
export function disksOf(
  { project }: GcpRemote,
  operation: Operation,
  volumes: readonly VolumeMount[],
): readonly (Address & { readonly path: string })[] {
  const found = volumes.map(({ id, mountPath }) => {
    const address = addressOf(id);
    if (address?.project === project) return { ...address, path: mountPath };
    throw refusal("NOT_FOUND", operation, `there is no volume ${JSON.stringify(id.slice(0, 64))} in ${project}`);
  });
  const [first] = found;
  const isDouble = ["number", "path"].some(
    (field) => new Set(found.map((one) => Reflect.get(one, field))).size < found.length,
  );
  if (isDouble) throw refusal("INVALID_SPEC", operation, "volumes names a volume or a path twice");
  if (found.some(({ zone }) => zone !== first?.zone)) {
    throw refusal("INVALID_SPEC", operation, "volumes are of several zones, and an instance is in one");
  }
  return found;
}

/** Throws NOT_FOUND for what is not there any more: its name may be a younger disk's. */
export async function checkDisks({ client }: GcpRemote, call: Call, disks: readonly Address[]): Promise<void> {
  for (const { zone, name, number } of disks) {
    const there = await client.disk(call, zone, name);
    if (there?.id !== number)
      throw refusal("NOT_FOUND", call.operation, `there is no volume ${name} ${number} in ${zone}`);
  }
}
