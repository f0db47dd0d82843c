import {
  type BuiltinCapability,
  type CallOptions,
  type CapabilityMethods,
  type Clock,
  type DefineOptions,
  deadline,
  defineProvider,
  type FurtherCapability,
  type Instance,
  type InstanceOf,
  type Provider,
  type ProviderDefinition,
  type ProviderHooks,
  type ProviderTypes,
  type Runtime,
  runtimeDefaults,
} from "@slipway/core";
import { renderBootstrap } from "../bootstrap/render-bootstrap.ts";
import { refusals } from "../errors/refusal.ts";
import { keyedMutex } from "../limits/keyed-mutex.ts";
import { defaultHooks, type HookParts } from "./default-hooks.ts";
import type { Call, Driver } from "./driver.ts";
import type { AnyListFilter, AnySpawnOptions } from "./driver-context.ts";
import { LifeCycle } from "./life-cycle.ts";
import { type VolumeDriver, volumesFromDriver } from "./volume-driver.ts";
import { writeCache } from "./write-cache.ts";

type VolumeMethod = "createVolume" | "listVolumes" | "deleteVolume";
type Given = "spawn" | "terminate" | "get" | "list" | "generateBootstrap" | VolumeMethod;
type Demanded<P extends Provider> = Omit<ProviderDefinition<P>, Given>;
type ContractMethod = keyof CapabilityMethods<BuiltinCapability | FurtherCapability, ProviderTypes>;
/** What its capabilities demand, and members beyond the contract. */
type OwnMethod<P extends Provider> = Extract<keyof Demanded<P>, ContractMethod | Exclude<keyof P, keyof Provider>>;
export type SpawnOptionsOfDriver<P extends Provider> = Parameters<P["spawn"]>[0] & AnySpawnOptions;

/** The methods that the kit does not make. Those of volumes are among them where the definition has no `volumes`. */
export type OwnMethods<P extends Provider> = Pick<Demanded<P>, OwnMethod<P>> &
  Partial<Pick<P, Extract<keyof P, VolumeMethod>>>;
type MethodsOf<P extends Provider, M, T> = (
  parts: DriverParts<M, InstanceOf<P>, SpawnOptionsOfDriver<P>, T>,
) => OwnMethods<P>;

/** A provider's definition without what the kit makes of the driver. */
export type DriverDefinition<P extends Provider, M, T, V> = Omit<Demanded<P>, OwnMethod<P>> & {
  readonly driver: Driver<M, InstanceOf<P>, SpawnOptionsOfDriver<P>, T>;
  /** Demanded by `persistentVolumes`, unless `methods` has the three itself. */
  readonly volumes?: VolumeDriver<V>;
  readonly regions?: readonly string[] | undefined;
  readonly hooks: HookParts<InstanceOf<P>>;
  readonly ownOptions?: readonly string[];
  readonly capabilityDefinitions?: DefineOptions["capabilityDefinitions"];
  readonly runtime?: Partial<Runtime> | undefined;
} & (Record<never, never> extends OwnMethods<P>
    ? { readonly methods?: MethodsOf<P, M, T> }
    : { readonly methods: MethodsOf<P, M, T> });

export interface DriverParts<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly lifeCycle: LifeCycle<M, I, O, T>;
  /** What core does for the contract's methods: `timeoutMs` becomes the signal. */
  readonly timed: <R>(
    operation: string,
    options: CallOptions | undefined,
    work: (call: Call) => Promise<R>,
  ) => Promise<R>;
}

/** A provider and its hooks, over one client. */
export interface ProviderParts<P extends Provider> {
  readonly provider: P;
  readonly hooks: ProviderHooks;
}

/** The whole provider and its hooks, from what is special about one remote. */
export function providerFromDriver<P extends Provider, M, T, V = never>(
  written: DriverDefinition<P, M, T, V>,
): ProviderParts<P> {
  const { driver, volumes, regions, hooks, runtime, methods, ownOptions, capabilityDefinitions, ...rest } = written;
  // The signature above demands them of every definition; a deferred Omit hides them from this body.
  const definition = rest as unknown as Pick<Provider, "name" | "owner" | "limits">;
  const { clock } = runtimeDefaults(runtime);
  const { name: provider, owner, limits } = definition;
  const refuse = refusals(provider);
  const mutex = keyedMutex(provider);
  const lagMs = limits.readAfterWriteMs;
  const context = {
    provider,
    owner,
    clock,
    readAfterWriteMs: lagMs,
    regions,
    refuse,
    mutex,
    writeCache: writeCache<M>(clock, lagMs, driver.nativeIdOf),
  };
  const lifeCycle = new LifeCycle(driver, context);
  const { format, render } = driver.bootstrap;
  const made = {
    ...definition,
    spawn: (options: SpawnOptionsOfDriver<P>) => lifeCycle.spawn(options),
    terminate: (id: string, call?: CallOptions) => lifeCycle.terminate(id, call),
    get: (id: string, call?: CallOptions) => lifeCycle.get(id, call),
    list: (filter?: AnyListFilter, call?: CallOptions) => lifeCycle.list(filter, call),
    generateBootstrap:
      render ?? ((config: Parameters<P["generateBootstrap"]>[0]) => renderBootstrap(config, { provider, format })),
    ...(volumes === undefined
      ? {}
      : volumesFromDriver(volumes, {
          ...context,
          writeCache: volumes.writeCache ?? writeCache<V>(clock, lagMs),
          checkRegion: (call, region) => lifeCycle.checkRegion(call, region),
          waitUntil: (call, time) => clock.sleep(Math.max(0, time - clock.now()), call.signal),
        })),
    ...methods?.({ lifeCycle, timed: (operation, options, work) => timed(clock, operation, options, work) }),
  };
  return {
    // Checked again at run time by defineProvider: flags, methods and owner.
    provider: defineProvider<P>(made as unknown as ProviderDefinition<NoInfer<P>>, {
      runtime: { ...runtime, clock },
      ownOptions,
      capabilityDefinitions,
    }),
    hooks: defaultHooks(
      (call, of) => lifeCycle.list({ owner: of }, call, call.operation),
      { provider, owner, clock },
      hooks,
    ),
  };
}

async function timed<R>(
  clock: Clock,
  operation: string,
  { signal, timeoutMs }: CallOptions = {},
  work: (call: Call) => Promise<R>,
): Promise<R> {
  const limit = deadline(clock, timeoutMs, signal);
  try {
    return await work({ operation, signal: limit.signal });
  } finally {
    limit.release();
  }
}
