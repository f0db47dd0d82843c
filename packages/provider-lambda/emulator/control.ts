import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import { canPlace } from "./fixtures.ts";
import { at, isAlive, newAddress, newId, placeId, statusAt, turn, type World } from "./world.ts";

/** An instance as the emulator itself holds it, at once and without lag. */
export interface EmulatedInstance {
  readonly nativeId: string;
  readonly owner: string | null;
  readonly key: string | null;
  readonly live: boolean;
  readonly status: string;
  readonly region: string;
  readonly spec: string;
  readonly sshKeyName: string;
  readonly userData: string | undefined;
}

/** For tests: looks at the remote and changes it without a request. */
export interface LambdaEmulatorControl {
  readonly faults: FaultScript;
  /** Can such a fault stand there as Lambda would show it? */
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  readonly instances: () => readonly EmulatedInstance[];
  /** Names of filesystems. */
  readonly volumes: () => readonly string[];
  readonly sshKeys: () => readonly { readonly id: string; readonly name: string; readonly publicKey: string }[];
  /** Adds a key as a person would in the dashboard: also a second one of a name. */
  readonly addSshKey: (name: string, publicKey: string) => void;
  /** An instance that Slipway did not make; answers its id. */
  readonly addUnmanaged: (name?: string) => string;
  readonly hasUnmanaged: (nativeId: string) => boolean;
  /** A running machine ends by itself. */
  readonly crash: (nativeId: string) => void;
  /** Any status from now on, as `unhealthy`, for so long; then `active` again. */
  readonly setStatus: (nativeId: string, status: string, forMs?: number) => void;
  /** How many instances a place holds at most. */
  readonly setCapacity: (type: string, region: string, instances: number) => void;
  /** What the list of capacity says, whatever is true; null for the truth. */
  readonly showCapacity: (type: string, region: string, shown: boolean | null) => void;
  /** Every request so far, with the status that it got; 0 for a broken connection. */
  readonly requests: readonly { readonly operation: string; readonly status: number; readonly at: number }[];
  /** Rises with every change of instances and filesystems. */
  readonly changes: () => number;
}

export function newControl(
  world: World,
  faults: FaultScript,
  requests: LambdaEmulatorControl["requests"],
): LambdaEmulatorControl {
  const { clock } = world;
  const unmanagedIds = new Map<string, number>();
  return {
    faults,
    requests,
    supports: (fault) => canPlace(fault, world.settings.readLagMs),
    changes: () => world.changes,
    instances: () => [...world.instances.values()].map((one) => inspected(world, one)),
    volumes: () => at(world.fileSystems, clock.now()).map(({ name }) => name),
    sshKeys: () =>
      at(world.sshKeys, clock.now()).map(({ id, name, public_key: publicKey }) => ({ id, name, publicKey })),
    addSshKey: (name, publicKey) => {
      const value = { id: newId(world), name, public_key: publicKey };
      world.sshKeys.push({ value, from: clock.now(), until: Number.POSITIVE_INFINITY });
    },
    addUnmanaged: (name = "made-by-hand") => {
      const id = newId(world);
      const request = {
        region_name: "us-west-1",
        instance_type_name: "gpu_1x_a10",
        ssh_key_names: ["somebody"],
        name,
        tags: [{ key: "team", value: "somebody" }],
      };
      const events = [{ at: clock.now(), status: "active" }];
      const number = world.instances.size + 1;
      world.instances.set(id, { id, request, launchedAt: clock.now(), events, number, ip: newAddress(world) });
      unmanagedIds.set(id, world.changes);
      return id;
    },
    hasUnmanaged: (nativeId) => {
      const one = world.instances.get(nativeId);
      return unmanagedIds.has(nativeId) && one !== undefined && statusAt(one, clock.now()) === "active";
    },
    crash: (nativeId) => {
      const one = world.instances.get(nativeId);
      if (one !== undefined) turn(world, one, { inMs: 0, status: "terminated" });
    },
    setStatus: (nativeId, status, forMs) => {
      const one = world.instances.get(nativeId);
      const then = forMs === undefined ? [] : [{ inMs: forMs, status: "active" }];
      if (one !== undefined) turn(world, one, { inMs: 0, status }, ...then);
    },
    setCapacity: (type, region, instances) => {
      world.capacity.set(placeId(type, region), instances);
    },
    showCapacity: (type, region, shown) => {
      if (shown === null) world.shown.delete(placeId(type, region));
      else world.shown.set(placeId(type, region), shown);
    },
  };
}

type Stored = World["instances"] extends Map<string, infer One> ? One : never;

function inspected(world: World, one: Stored): EmulatedInstance {
  const { request } = one;
  // By the tags on the wire, not through the provider's own reading of them.
  const tag = (name: string): string | null => request.tags?.find(({ key }) => key === name)?.value ?? null;
  return {
    nativeId: one.id,
    owner: tag("slipway:owner"),
    key: tag("slipway:key"),
    live: isAlive(one, world.clock.now()),
    status: statusAt(one, world.clock.now()) ?? "unknown",
    region: request.region_name,
    spec: request.instance_type_name,
    sshKeyName: request.ssh_key_names[0] ?? "",
    userData: request.user_data,
  };
}
