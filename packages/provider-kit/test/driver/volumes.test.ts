import { type Instance, nameFor, type Provider, type Snapshot } from "@slipway/core";
import { expect, test } from "vitest";
import { type Driver, providerFromDriver, type VolumeDriver } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

type Keeping = Provider<Instance, Snapshot, "persistentVolumes">;
interface Disk {
  readonly id: string;
  readonly name: string;
}

const LAG_MS = 5_000;

/** A remote whose listings show what was there before the lag, and can take longer than that. */
function world() {
  const clock = simulatedClock();
  const disks: (Disk & { readonly from: number; until: number })[] = [];
  const slow = { ms: 0 };
  const add = (name: string): Disk => {
    const disk = { id: `d${disks.length}`, name, from: clock.now(), until: Number.POSITIVE_INFINITY };
    disks.push(disk);
    return disk;
  };
  const volumes: VolumeDriver<Disk> = {
    isId: () => true,
    list: async () => {
      const asOf = clock.now() - LAG_MS;
      const shown = disks.filter(({ from, until }) => from <= asOf && asOf < until);
      await clock.sleep(slow.ms);
      return shown;
    },
    identify: ({ id, name }) => ({ id, name, sizeBytes: 1 }),
    toVolume: (_, base, attachedTo) => ({ ...base, attachedTo, createdAt: null, status: "available" }),
    create: async (_, { name }) => ({ volume: add(name) }),
    destroy: async (_, id) => {
      const disk = disks.find((one) => one.id === id && one.from <= clock.now() - LAG_MS);
      if (disk === undefined) return "gone";
      disk.until = clock.now();
      return "accepted";
    },
    attachments: async () => new Map(),
  };
  const driver: Driver<string, Instance, Parameters<Keeping["spawn"]>[0]> = {
    isId: () => true,
    identify: (id) => ({ id, status: "running", ownership: null }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      yield [];
    },
    get: async () => null,
    prepare: () => undefined,
    create: async (_, { key }) => ({ machine: key }),
    destroy: async () => "gone",
  };
  const { provider } = providerFromDriver<Keeping, string, unknown, Disk>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: { persistentVolumes: true },
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: LAG_MS, requestLifeMs: 0 },
    driver,
    volumes,
    hooks: { startup: async () => undefined },
    runtime: { clock },
  });
  return { clock, provider, slow, add, count: () => disks.length };
}

test("a listing that takes longer than it may lag hides no volume that was made before it", async () => {
  const { provider, slow, count } = world();
  const { id } = await provider.createVolume({ key: "v", sizeBytes: 1 });
  slow.ms = 4 * LAG_MS;
  expect((await provider.createVolume({ key: "v", sizeBytes: 1 })).id).toBe(id);
  expect(count()).toBe(1);
});

test("nor does it bring back one that was deleted before it", async () => {
  const { clock, provider, slow } = world();
  const { id } = await provider.createVolume({ key: "v", sizeBytes: 1 });
  await clock.advance(2 * LAG_MS);
  await provider.deleteVolume(id);
  slow.ms = 4 * LAG_MS;
  expect((await provider.createVolume({ key: "v", sizeBytes: 1 })).id).not.toBe(id);
});

test("one of another process that neither a read nor a write knows yet is not taken for deleted", async () => {
  const { clock, provider, add } = world();
  const { id } = add(nameFor("o", "v"));
  await clock.advance(LAG_MS / 2);
  await provider.deleteVolume(id);
  await clock.advance(LAG_MS / 2);
  expect((await provider.createVolume({ key: "v", sizeBytes: 1 })).id).toBe(id);
});
