import {
  type CleanupItem,
  type CleanupMethods,
  checksumOf,
  defineProvider,
  type ExecMethods,
  type ExecResult,
  type Instance,
  type InstanceStatus,
  type LogMethods,
  type Offering,
  type OfferingMethods,
  type PlacementMethods,
  type Provider,
  ProviderError,
  type ProviderHooks,
  type ProviderRegistration,
  type RegisterEnvironment,
  type Snapshot,
  type SpawnOptions,
  specHash,
} from "@slipway/core";

type FakeCapabilities = "snapshots" | "spot" | "persistentVolumes" | "hibernation" | "costExplorer";
type FakeFull = Provider<Instance, Snapshot, FakeCapabilities> & ExecMethods & LogMethods;

/** What the fake remote holds, and what a test sets. It outlives the provider objects, as a remote does. */
export class FakeRemote {
  readonly instances: Map<string, Instance> = new Map();
  readonly hashes: Map<string, string> = new Map();
  readonly calls: { readonly method: string; readonly args: readonly unknown[] }[] = [];
  readonly snapshots: Map<string, Snapshot> = new Map();
  readonly volumes: Map<string, { readonly key: string; readonly sizeBytes: number }> = new Map();
  /** Thrown by the next call of a method. */
  readonly failures: Map<string, () => unknown> = new Map();
  /** Runs inside the next call of a method. */
  readonly hooks: Map<string, (signal: AbortSignal | undefined) => Promise<void>> = new Map();
  specTakesResources = false;
  status: InstanceStatus = "running";
  price: Instance["price"];
  ssh: Instance["ssh"];
  bootstrap: Instance["bootstrap"];
  statusReason: Instance["statusReason"];
  log: readonly string[] = [];
  /** What the shell scripts of a session end with; undefined: as always. */
  shell: (argv: readonly string[], signal: AbortSignal | undefined, id: string) => Promise<ExecResult | undefined> =
    async () => undefined;
  /** Ids that `get` shows and `list` does not yet. */
  readonly unlisted: Set<string> = new Set();
  /** What `listOfferings` answers; it and `placements` are there only with the option `sells`. */
  offerings: readonly Offering[] = [];
  places: readonly SpawnOptions[] = [];
  /** What `planCleanup` answers; it is there only with the option `leaves`. */
  leftovers: readonly CleanupItem[] = [];
  /** What the health check answers. */
  health: Readonly<Record<string, string | number | boolean>> = { isolation: "none" };
  startup: () => Promise<void> = async () => undefined;
  shutdown: () => Promise<void> = async () => undefined;
  shutdowns = 0;
  next = 1;

  called(method: string): readonly (readonly unknown[])[] {
    return this.calls.filter((call) => call.method === method).map(({ args }) => args);
  }

  async enter(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<void> {
    this.calls.push({ method, args });
    const hook = this.hooks.get(method);
    if (hook !== undefined) await hook(signal);
    const failure = this.failures.get(method);
    if (failure !== undefined) throw failure();
  }
}

export interface FakeOptions {
  readonly name?: string;
  /** Without capabilities, exec and logs. */
  readonly bare?: boolean;
  /** Configured for these regions alone; it launches in the first. */
  readonly regions?: readonly string[];
  /** With prices and placements. */
  readonly sells?: boolean;
  /** With things of its own to clean up; `keys`: keys of its launches among them. */
  readonly leaves?: boolean | "keys";
}

/** A module as a provider package exports it, on a remote that the test holds. */
export function fakeModule(remote: FakeRemote, options: FakeOptions = {}): { readonly register: unknown } {
  const hooks: ProviderHooks = {
    onStartup: () => remote.startup(),
    onShutdown: async () => {
      remote.shutdowns += 1;
      await remote.shutdown();
    },
    onHeartbeat: async () => ({ receipts: [{ task: "health_check", ok: true, details: remote.health }] }),
  };
  return {
    register: async (config: unknown, env: RegisterEnvironment): Promise<ProviderRegistration> => {
      remote.calls.push({ method: "register", args: [config, env.owner] });
      const name = options.name ?? "local";
      const make = (): Provider => {
        if (options.regions !== undefined) return regional(remote, env, name, options.regions);
        return options.bare === true ? bare(remote, env, name) : full(remote, env, name);
      };
      const provider = make();
      return {
        provider: options.sells === true ? selling(remote, provider) : provider,
        hooks,
        ...(options.leaves === true ? { cleanup: cleaning(remote) } : {}),
        ...(options.leaves === "keys" ? { cleanup: { ...cleaning(remote), addsSshKeys: true } } : {}),
      };
    },
  };
}

function cleaning(remote: FakeRemote): CleanupMethods {
  return {
    planCleanup: async () => {
      await remote.enter("planCleanup", []);
      return remote.leftovers;
    },
    removeLeftover: async (item) => {
      await remote.enter("removeLeftover", [item.id]);
      if (item.reason === "busy") return "in-use";
      remote.leftovers = remote.leftovers.filter(({ id }) => id !== item.id);
      return "removed";
    },
  };
}

const LIMITS = { maxUserDataBytes: 16_384, maxLabels: 8, nameMaxLength: 63, readAfterWriteMs: 0, requestLifeMs: 0 };

function core(remote: FakeRemote, env: RegisterEnvironment, name: string) {
  const make = async (options: SpawnOptions<FakeCapabilities>): Promise<Instance> => {
    await remote.enter("spawn", [options], options.signal);
    const key = options.key ?? "";
    const { signal: _signal, timeoutMs: _timeoutMs, ...rest } = options;
    const hash = specHash(rest);
    const known = [...remote.instances.values()].find((one) => one.key === key && one.status !== "terminated");
    if (known !== undefined && remote.hashes.get(known.id) === hash) return known;
    if (known !== undefined) throw fault("CONFLICT", name, "the key has an instance of another spec", known.id);
    const id = `i-${remote.next++}`;
    const instance: Instance = {
      id,
      nativeId: id,
      provider: name,
      key,
      owner: env.owner,
      status: remote.status,
      addresses: { publicIpv4: "192.0.2.7" },
      isSpot: false,
      labels: options.labels ?? {},
      createdAt: "2026-01-31T12:00:00.000Z",
      ...(options.spec === undefined ? {} : { spec: options.spec }),
      ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
      ...(remote.price === undefined ? {} : { price: remote.price }),
      ...(remote.ssh === undefined ? {} : { ssh: remote.ssh }),
      ...(remote.bootstrap === undefined ? {} : { bootstrap: remote.bootstrap }),
      ...(remote.statusReason === undefined ? {} : { statusReason: remote.statusReason }),
    };
    remote.instances.set(id, instance);
    remote.hashes.set(id, hash);
    return instance;
  };
  const set = (id: string, status: InstanceStatus): Instance => {
    const instance = remote.instances.get(id);
    if (instance === undefined) throw fault("NOT_FOUND", name, `there is no ${id}`);
    remote.instances.set(id, { ...instance, status });
    return { ...instance, status };
  };
  return {
    set,
    members: {
      name,
      owner: env.owner,
      tier: "testing",
      limits: { ...LIMITS, specTakesResources: remote.specTakesResources },
      spawn: make,
      terminate: async (id: string) => {
        await remote.enter("terminate", [id]);
        if (remote.instances.has(id)) set(id, "terminated");
      },
      list: async (
        filter: {
          keys?: readonly string[] | undefined;
          ids?: readonly string[] | undefined;
          status?: readonly InstanceStatus[] | undefined;
          owner?: string | undefined;
        } = {},
      ) => {
        await remote.enter("list", [filter]);
        return [...remote.instances.values()].filter(
          (one) =>
            !remote.unlisted.has(one.id) &&
            (filter.keys === undefined || filter.keys.includes(one.key ?? "")) &&
            (filter.ids === undefined || filter.ids.includes(one.id)) &&
            (filter.owner === "*" || one.owner === (filter.owner ?? env.owner)) &&
            (filter.status === undefined ? one.status !== "terminated" : filter.status.includes(one.status)),
        );
      },
      get: async (id: string) => {
        await remote.enter("get", [id]);
        return remote.instances.get(id) ?? null;
      },
      generateBootstrap: ({ script }: { readonly script: string }) => {
        const content = `#!/bin/sh\n${script}\n`;
        return {
          content,
          format: "shell",
          checksum: checksumOf(content),
          byteLength: Buffer.byteLength(content),
        } as const;
      },
    } as const,
  };
}

function bare(remote: FakeRemote, env: RegisterEnvironment, name: string): Provider {
  return defineProvider<Provider>(
    {
      ...core(remote, env, name).members,
      capabilities: {},
      whyNot: {
        snapshots: "this remote has no disks to copy",
        spot: "it has one price",
        terminateBy: "It keeps no time.",
      },
      refuses: { image: "it has one image" },
    },
    { runtime: env.runtime },
  );
}

function regional(
  remote: FakeRemote,
  env: RegisterEnvironment,
  name: string,
  regions: readonly string[],
): Provider<Instance, Snapshot, "multiRegion"> {
  const { members } = core(remote, env, name);
  const isSeen = ({ region }: Instance): boolean => region !== undefined && regions.includes(region);
  return defineProvider<Provider<Instance, Snapshot, "multiRegion">>(
    {
      ...members,
      capabilities: { multiRegion: true },
      whyNot: {},
      refuses: {},
      spawn: async (options) => {
        const { region = regions[0] ?? "", ...rest } = options;
        const made: Instance = { ...(await members.spawn(rest)), region };
        remote.instances.set(made.id, made);
        return made;
      },
      list: async (filter) => (await members.list(filter)).filter(isSeen),
      get: async (id) => [await members.get(id)].find((one) => one !== null && isSeen(one)) ?? null,
      listRegions: async () => regions.map((id) => ({ id, name: id })),
    },
    { runtime: env.runtime },
  );
}

/** What the projection leaves away. */
function selling(remote: FakeRemote, provider: Provider): Provider & OfferingMethods & PlacementMethods {
  return {
    ...provider,
    listOfferings: async () => {
      await remote.enter("listOfferings", []);
      return remote.offerings;
    },
    placements: async (options) => {
      await remote.enter("placements", [options]);
      return remote.places;
    },
  };
}

function full(remote: FakeRemote, env: RegisterEnvironment, name: string): Provider {
  const { members, set } = core(remote, env, name);
  const { volumes } = remote;
  return defineProvider<FakeFull>(
    {
      ...members,
      capabilities: { snapshots: true, spot: true, persistentVolumes: true, hibernation: true, costExplorer: true },
      createSnapshot: async (instanceId, { key, name: label }) => {
        await remote.enter("createSnapshot", [instanceId, key]);
        const snapshot: Snapshot = {
          id: `snap-${key}`,
          provider: name,
          status: "pending",
          key,
          owner: env.owner,
          instanceId,
          createdAt: "2026-01-31T12:00:00.000Z",
          sizeBytes: 2048,
          ...(label === undefined ? {} : { name: label }),
        };
        remote.snapshots.set(snapshot.id, snapshot);
        return snapshot;
      },
      getSnapshotStatus: async (id) => {
        await remote.enter("getSnapshotStatus", [id]);
        return remote.snapshots.has(id) ? "available" : null;
      },
      deleteSnapshot: async (id) => {
        remote.snapshots.delete(id);
      },
      listSnapshots: async () => [...remote.snapshots.values()],
      requestSpotInstance: async (options) => {
        await remote.enter("requestSpotInstance", [options]);
        return { requestId: "req-1", status: "open", instanceId: null };
      },
      cancelSpotRequest: (id) => remote.enter("cancelSpotRequest", [id]),
      getSpotPrices: async () => [
        { spec: "big", region: "r1", usdPerHour: 2.5, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" },
        {
          spec: "small",
          region: "r1",
          usdPerHour: 0.004,
          per: "instance",
          asOf: "2026-01-31T12:00:00Z",
          source: "live",
        },
      ],
      createVolume: async ({ key, sizeBytes }) => {
        volumes.set(`vol-${key}`, { key, sizeBytes });
        remote.calls.push({ method: "createVolume", args: [key, sizeBytes] });
        return volume(name, env.owner, key, sizeBytes);
      },
      listVolumes: async () =>
        [...volumes.values()].map(({ key, sizeBytes }) => volume(name, env.owner, key, sizeBytes)),
      deleteVolume: async (id) => {
        volumes.delete(id);
      },
      hibernate: async (id) => set(id, "hibernated"),
      resume: async (id) => set(id, "running"),
      getCosts: async ({ from, to }) => [{ usd: 12.3, from, to, group: null, estimated: true }],
      exec: async (id, argv, { onStdout, onStderr, stdin, signal } = {}) => {
        await remote.enter("exec", [id, argv, stdin]);
        const said = argv[0] === "/bin/sh" ? await remote.shell(argv, signal, id) : undefined;
        if (said !== undefined) return said;
        // Of a session's job every look says that it has ended.
        if (argv[0] === "/bin/sh") return { exitCode: 0, stdout: "0\n", stderr: "" };
        onStdout?.("out\n");
        onStderr?.("err\n");
        return { exitCode: Number(argv[1] ?? 0), stdout: "out\n", stderr: "err\n" };
      },
      logs: async function* (id, { follow, signal } = {}) {
        await remote.enter("logs", [id], signal);
        yield* remote.log;
        if (follow !== true) return;
        await new Promise<void>((resolve) => {
          if (signal?.aborted === true) resolve();
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
      },
    },
    { runtime: env.runtime },
  );
}

function volume(provider: string, owner: string, key: string, sizeBytes: number) {
  return {
    id: `vol-${key}`,
    provider,
    status: "available",
    key,
    owner,
    sizeBytes,
    attachedTo: null,
    createdAt: null,
  } as const;
}

export function fault(
  code: "CONFLICT" | "NOT_FOUND" | "CAPACITY_ERROR" | "AUTH_ERROR" | "NETWORK" | "UNAVAILABLE",
  provider: string,
  message: string,
  id?: string,
  effect: "none" | "unknown" = "none",
): ProviderError {
  const details = { provider, operation: "spawn", message, effect, hint: "Try another." };
  return new ProviderError(code, id === undefined ? details : { ...details, native: { id } });
}
