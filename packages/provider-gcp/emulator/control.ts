import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import { EMULATED_ZONES, regionOfZone } from "./catalogue.ts";
import { canPlace } from "./fixtures.ts";
import { writeGuestAttribute } from "./guest-attributes.ts";
import { isAlive, remove } from "./instances.ts";
import { newNatIp, newNumber, newOperation, type StoredInstance, statusAt, turn, type World } from "./world.ts";

/** An instance as the emulator itself holds it, at once and without lag. */
export interface EmulatedInstance {
  readonly nativeId: string;
  readonly name: string;
  readonly zone: string;
  readonly owner: string | null;
  readonly key: string | null;
  readonly live: boolean;
  readonly status: string;
  readonly spec: string;
  readonly userData: string | undefined;
}

/** For tests: looks at the remote and changes it without a request. */
export interface GcpEmulatorControl {
  readonly faults: FaultScript;
  /** Can such a fault stand there as Google would show it? */
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  readonly instances: () => readonly EmulatedInstance[];
  /** Names of the machine images. */
  readonly snapshots: () => readonly string[];
  /** Names of the disks that were made by themselves. */
  readonly volumes: () => readonly string[];
  /** An instance that Slipway did not make; answers its number. */
  readonly addUnmanaged: (name?: string, zone?: string) => string;
  readonly hasUnmanaged: (nativeId: string) => boolean;
  /** Google stops it, or reclaims a spot instance: with its own operation. */
  readonly preempt: (nativeId: string) => void;
  /** A guest writes an attribute of its instance, as `namespace/key`; false where its metadata do not allow that. */
  readonly writeGuestAttribute: (nativeId: string, path: string, value: string) => boolean;
  /** Any status from now on. */
  readonly setStatus: (nativeId: string, status: string) => void;
  /** How many instances a zone holds at most. */
  readonly setCapacity: (type: string, zone: string, instances: number) => void;
  /** A zone, or all of a region, cannot be read any more; or can again. */
  readonly setReachable: (zoneOrRegion: string, reachable: boolean) => void;
  /** Every request so far, with the status that it got; 0 for a broken connection. */
  readonly requests: readonly EmulatedRequest[];
  /** Rises with every change of instances. */
  readonly changes: () => number;
}

export interface EmulatedRequest {
  readonly operation: string;
  readonly status: number;
  readonly at: number;
}

export function newControl(
  world: World,
  faults: FaultScript,
  requests: readonly EmulatedRequest[],
): GcpEmulatorControl {
  const { clock } = world;
  const unmanagedIds = new Set<string>();
  const byId = (nativeId: string): StoredInstance | undefined => world.instances.get(nativeId);
  return {
    faults,
    requests,
    supports: (fault) => canPlace(fault, world.settings.listLagMs),
    changes: () => world.changes,
    instances: () => [...world.instances.values()].map((one) => inspected(world, one)),
    snapshots: () => [...world.images.values()].filter(({ goneAt }) => clock.now() < goneAt).map(({ name }) => name),
    volumes: () => [...world.disks.values()].filter(({ goneAt }) => clock.now() < goneAt).map(({ name }) => name),
    addUnmanaged: (name = "made-by-hand", zone = "us-central1-a") => {
      const id = newNumber(world);
      const now = clock.now();
      world.instances.set(id, {
        id,
        name,
        zone,
        request: {
          machineTypeName: "e2-medium",
          isSpot: false,
          body: {
            name,
            machineType: `zones/${zone}/machineTypes/e2-medium`,
            labels: { team: "somebody" },
            disks: [{ boot: true, source: `zones/${zone}/disks/${name}` }],
            networkInterfaces: [{ network: "global/networks/default" }],
          },
        },
        createdAt: now,
        visibleAt: now,
        address: world.instances.size + 1,
        natIp: newNatIp(world),
        events: [{ at: now, status: "RUNNING" }],
        goneAt: Number.POSITIVE_INFINITY,
        nameHeldUntil: Number.POSITIVE_INFINITY,
      });
      unmanagedIds.add(id);
      return id;
    },
    hasUnmanaged: (nativeId) => {
      const one = byId(nativeId);
      return unmanagedIds.has(nativeId) && one !== undefined && statusAt(one, clock.now()) === "RUNNING";
    },
    preempt: (nativeId) => {
      const one = byId(nativeId);
      if (one === undefined) return;
      const about = { zone: one.zone, targetId: one.id, targetName: one.name, requestId: undefined, lastsMs: 1_000 };
      newOperation(world, { ...about, type: "compute.instances.preempted" });
      if (one.request.body.scheduling?.instanceTerminationAction === "DELETE")
        return remove(world, one, clock.now() + 30_000, 0);
      turn(world, one, { inMs: 0, status: "STOPPING", target: "STOPPED" }, { inMs: 30_000, status: "TERMINATED" });
    },
    writeGuestAttribute: (nativeId, path, value) => {
      const one = byId(nativeId);
      return one !== undefined && writeGuestAttribute(world, one, path, value);
    },
    setStatus: (nativeId, status) => {
      const one = byId(nativeId);
      if (one !== undefined) turn(world, one, { inMs: 0, status });
    },
    setCapacity: (type, zone, instances) => {
      world.capacity.set(`${type} ${zone}`, instances);
    },
    setReachable: (zoneOrRegion, reachable) => {
      for (const zone of EMULATED_ZONES.filter((one) => one === zoneOrRegion || regionOfZone(one) === zoneOrRegion)) {
        if (reachable) world.unreachable.delete(zone);
        else world.unreachable.add(zone);
      }
    },
  };
}

function inspected(world: World, one: StoredInstance): EmulatedInstance {
  const { body, machineTypeName } = one.request;
  // By what stands on the wire, not through the provider's own reading of it.
  const item = (name: string): string | null => body.metadata?.items?.find(({ key }) => key === name)?.value ?? null;
  return {
    nativeId: one.id,
    name: one.name,
    zone: one.zone,
    owner: item("slipway-owner"),
    key: item("slipway-key"),
    live: isAlive(world, one),
    status: statusAt(one, world.clock.now()),
    spec: machineTypeName,
    userData: item("user-data") ?? undefined,
  };
}
