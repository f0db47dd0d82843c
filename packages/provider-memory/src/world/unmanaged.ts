import type { Disk, Machine } from "./records.ts";
import { newId, type Remote } from "./remote.ts";
import type { MemoryWorld } from "./world.ts";

type Unmanaged = Pick<MemoryWorld, "addUnmanaged" | "hasUnmanaged" | "addUnmanagedVolume">;

/** Machines and volumes that Slipway did not make. */
export function unmanaged(present: () => Remote): Unmanaged {
  const made = new Map<string, Machine>();
  return {
    addUnmanaged: (name) => {
      const world = present();
      const machine = unmanagedIn(world, name);
      world.changes += 1;
      world.machines.put(machine, world.clock.now());
      made.set(machine.id, machine);
      return machine.id;
    },
    addUnmanagedVolume: () => {
      const world = present();
      const disk = unmanagedDisk(world);
      world.changes += 1;
      world.disks.put(disk, world.clock.now());
      return {
        region: disk.region,
        nativeId: disk.id,
        isThere: () => present().disks.current(disk.id) === disk,
        remove: () => present().disks.remove(disk.id, world.clock.now()),
      };
    },
    hasUnmanaged: (nativeId) => {
      const machine = present().machines.current(nativeId);
      return machine !== undefined && machine === made.get(nativeId);
    },
  };
}

function unmanagedIn(world: Remote, name: string | undefined): Machine {
  const id = newId(world, "mem");
  const [region] = world.settings.regions;
  const [spec] = world.settings.specs;
  // `withDefaults` refuses a world without either.
  if (region === undefined || spec === undefined) throw new RangeError("the world has no region or no spec");
  return {
    id,
    region: region.id,
    zone: region.zones[0] ?? region.id,
    name: name ?? `unmanaged-${id}`,
    title: null,
    tag: null,
    labels: {},
    state: "active",
    reason: null,
    fingerprint: "",
    generation: 1,
    spec: spec.name,
    image: "mem-linux",
    cpus: spec.cpus,
    memoryBytes: spec.memoryBytes,
    diskBytes: spec.diskBytes,
    gpu: null,
    spot: false,
    suspendable: false,
    usdPerHour: null,
    createdAt: world.clock.now(),
    deletedAt: null,
    expiresAt: null,
    terminateBy: null,
    publicIp: null,
    privateIp: null,
    boot: null,
    ports: [],
    sshKeys: [],
    disks: [],
    capture: null,
    tailnet: null,
    network: null,
    epoch: 0,
  };
}

function unmanagedDisk(world: Remote): Disk {
  const id = newId(world, "memdisk");
  const [region] = world.settings.regions;
  if (region === undefined) throw new RangeError("the world has no region");
  return {
    id,
    region: region.id,
    zone: region.zones[0] ?? region.id,
    name: `unmanaged-${id}`,
    tag: null,
    state: "free",
    sizeBytes: 1_073_741_824,
    pool: null,
    machine: null,
    createdAt: world.clock.now(),
  };
}
