import {
  type BaseSpawnOptions,
  type CoreMethods,
  checksumOf,
  defineProvider,
  type Instance,
  type InstanceStatus,
  type ListFilter,
  type LogMethods,
  type Provider,
  ProviderError,
  type Snapshot,
  type SpawnOptions,
  specHash,
} from "@slipway/core";
import type { SimulatedClock } from "./simulated-clock.ts";

export type PlainProvider = Provider & LogMethods;
export type SafeProvider = Provider<Instance, Snapshot, "idempotentSpawn">;
type Methods = CoreMethods<Instance, SpawnOptions, ListFilter>;

interface Remote {
  instance: Instance;
  hash: string;
  /** From when on reads show it, and from when on they show its latest status. */
  shownAt: number;
  previous: InstanceStatus | null;
  changedAt: number;
}

/** What a call does instead of answering. `lost`: the effect happens, the answer does not arrive. */
export type SpawnFault = "lost" | "dropped" | "refused-capacity" | "refused-quota" | "applied";

export interface World {
  readonly clock: SimulatedClock;
  readonly lagMs: number;
  /** How late a request may arrive. */
  readonly lifeMs: number;
  readonly machines: Map<string, Remote>;
  /** Taken one per spawn; `undefined` lets it pass. */
  readonly spawnFaults: (SpawnFault | undefined)[];
  /** Thrown by the next reads, one each. */
  readonly readFaults: Error[];
  readonly terminateFaults: Error[];
  /** All requests that reached the remote. */
  readonly requests: BaseSpawnOptions[];
  readonly calls: string[];
  logLines: string[];
}

export function newWorld(clock: SimulatedClock, lagMs = 5000, lifeMs = 0): World {
  return {
    clock,
    lagMs,
    lifeMs,
    machines: new Map(),
    spawnFaults: [],
    readFaults: [],
    terminateFaults: [],
    requests: [],
    calls: [],
    logLines: [],
  };
}

/** What really runs, past all lag: the inspector. */
export function living(world: World, key?: string): Instance[] {
  return [...world.machines.values()]
    .map((remote) => remote.instance)
    .filter((instance) => instance.status !== "terminated" && (key === undefined || instance.key === key));
}

export function setStatus(world: World, id: string, status: InstanceStatus, more: Partial<Instance> = {}): void {
  const remote = world.machines.get(id);
  if (remote === undefined) throw new Error(`no ${id}`);
  remote.previous = remote.instance.status;
  remote.changedAt = world.clock.now();
  remote.instance = { ...remote.instance, ...more, status };
}

function seen(world: World, remote: Remote): Instance | null {
  const now = world.clock.now();
  if (now < remote.shownAt) return null;
  const stale = remote.previous !== null && now < remote.changedAt + world.lagMs;
  return stale && remote.previous !== null ? { ...remote.instance, status: remote.previous } : remote.instance;
}

function failure(code: "NETWORK" | "CAPACITY_ERROR" | "QUOTA_EXCEEDED" | "INTERNAL", effect: ProviderError["effect"]) {
  return new ProviderError(code, { message: `scripted ${code}`, provider: "scripted", operation: "spawn", effect });
}

function methods(world: World, owner: string, idempotent: boolean): Methods {
  const make = (options: BaseSpawnOptions): Instance => {
    const id = `m-${world.machines.size + 1}`;
    const instance: Instance = {
      id,
      status: "running",
      provider: "scripted",
      nativeId: id,
      key: options.key ?? null,
      owner,
      addresses: {},
      isSpot: false,
      labels: options.labels ?? {},
      createdAt: new Date(world.clock.now()).toISOString(),
      ...(options.spec === undefined ? {} : { spec: options.spec }),
      ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    };
    const shownAt = world.clock.now() + world.lagMs;
    world.machines.set(id, { instance, hash: specHash(options), shownAt, previous: null, changedAt: 0 });
    return instance;
  };
  const known = (key: string | undefined): Remote | undefined =>
    [...world.machines.values()].find(({ instance }) => instance.key === key && instance.status !== "terminated");

  return {
    spawn: async ({ signal: _signal, ...options }) => {
      world.calls.push("spawn");
      const fault = world.spawnFaults.shift();
      if (fault === "refused-capacity") throw failure("CAPACITY_ERROR", "none");
      if (fault === "refused-quota") throw failure("QUOTA_EXCEEDED", "none");
      if (fault === "dropped") throw failure("NETWORK", "unknown");
      world.requests.push(options);
      const before = idempotent ? known(options.key) : undefined;
      if (before !== undefined && before.hash !== specHash(options)) {
        throw new ProviderError("CONFLICT", {
          message: "another request under this key",
          provider: "scripted",
          operation: "spawn",
          effect: "none",
          native: { id: before.instance.id },
        });
      }
      const instance = before?.instance ?? make(options);
      if (fault === "lost") throw failure("NETWORK", "unknown");
      if (fault === "applied") throw failure("INTERNAL", "applied");
      return instance;
    },
    terminate: async (id) => {
      world.calls.push("terminate");
      const fault = world.terminateFaults.shift();
      if (fault !== undefined) throw fault;
      if (world.machines.get(id)?.instance.status !== "terminated" && world.machines.has(id)) {
        setStatus(world, id, "terminated");
      }
    },
    get: async (id) => {
      world.calls.push("get");
      const fault = world.readFaults.shift();
      if (fault !== undefined) throw fault;
      const remote = world.machines.get(id);
      return remote === undefined ? null : seen(world, remote);
    },
    list: async (filter = {}) => {
      world.calls.push("list");
      const fault = world.readFaults.shift();
      if (fault !== undefined) throw fault;
      const ids = filter.ids && new Set(filter.ids);
      return [...world.machines.values()]
        .filter(({ instance }) => instance.owner === owner)
        .map((remote) => seen(world, remote))
        .filter((instance) => instance !== null)
        .filter(({ status }) => filter.status?.includes(status) ?? status !== "terminated")
        .filter((instance) => ids?.has(instance.id) ?? true)
        .filter((instance) => filter.keys === undefined || filter.keys.includes(instance.key ?? ""));
    },
    generateBootstrap: (config) => {
      const { report } = config;
      const reported = typeof report === "object" ? `REPORT=${report.url} ${report.token}\n` : "";
      const content = `#!/bin/sh\nTOKEN=${config.registrationToken ?? ""}\n${reported}${config.script}\n`;
      const byteLength = new TextEncoder().encode(content).length;
      return { content, format: "shell", checksum: checksumOf(content), byteLength };
    },
  };
}

const limits = (world: World) => ({
  maxUserDataBytes: 16_384,
  maxLabels: 16,
  nameMaxLength: 64,
  readAfterWriteMs: world.lagMs,
  requestLifeMs: world.lifeMs,
});

/** A remote that takes every create for a new one. */
export function plainProvider(world: World, owner = "tests"): PlainProvider {
  return defineProvider<PlainProvider>(
    {
      name: "scripted",
      owner,
      tier: "testing",
      capabilities: {},
      whyNot: { idempotentSpawn: "the remote takes every create for a new one" },
      limits: limits(world),
      ...methods(world, owner, false),
      logs: async function* () {
        yield* world.logLines;
      },
    },
    { runtime: { clock: world.clock } },
  );
}

/** A remote that keeps CONTRACT §1's promise by itself. */
export function safeProvider(world: World, owner = "tests"): SafeProvider {
  return defineProvider<SafeProvider>(
    {
      name: "scripted",
      owner,
      tier: "testing",
      capabilities: { idempotentSpawn: true },
      limits: limits(world),
      ...methods(world, owner, true),
    },
    { runtime: { clock: world.clock } },
  );
}
