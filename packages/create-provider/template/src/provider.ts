import { defineProvider, type Provider, type ProviderHooks, runtimeDefaults, type Snapshot } from "@slipway/core";
import { renderBootstrap } from "@slipway/provider-kit/bootstrap";
import { keyedMutex } from "@slipway/provider-kit/limits";
// #if hibernation
import { hibernationMethods } from "./capabilities/hibernation.ts";
// #end
// #if persistentVolumes
import { volumeMethods } from "./capabilities/persistent-volumes.ts";
// #end
// #if snapshots
import { snapshotMethods } from "./capabilities/snapshots.ts";
// #end
import { __name__Client } from "./client/client.ts";
import type { __Name__Context } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { __name__Hooks } from "./hooks.ts";
import type { __Name__Instance } from "./instance.ts";
import { getInstance, listInstances } from "./lookup.ts";
// #if multiRegion
import { configSchema, DEFAULT_REGIONS, describeIssue, type __Name__Options } from "./options.ts";
// #else
import { configSchema, describeIssue, type __Name__Options } from "./options.ts";
// #end
import { MAX_LABELS, MAX_USER_DATA_BYTES, NAME_MAX_LENGTH } from "./request.ts";
import { spawnInstance } from "./spawn.ts";
import { terminateInstance } from "./terminate.ts";

/** What this provider can do beyond the core methods: part of its public API. */
export type __Name__Capability = __CAPABILITIES_TYPE__;
export type __Name__Provider = Provider<__Name__Instance, Snapshot, __Name__Capability>;

/** Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function __name__(options: __Name__Options): __Name__Provider {
  return __name__Parts(options).provider;
}

/** The provider and its hooks, over one client. */
export function __name__Parts(options: __Name__Options): {
  readonly provider: __Name__Provider;
  readonly hooks: ProviderHooks;
} {
  const context = contextOf(options);
  const provider = defineProvider<__Name__Provider>(
    {
      name: PROVIDER,
      owner: options.owner,
      tier: "additional",
      capabilities: __CAPABILITIES_FLAGS__,
      limits: {
        maxUserDataBytes: MAX_USER_DATA_BYTES,
        maxLabels: MAX_LABELS,
        nameMaxLength: NAME_MAX_LENGTH,
        // The remote's reads show every write at once.
        readAfterWriteMs: 0,
        // How long a create may be under way: as long as the client waits for it.
        requestLifeMs: 120_000,
      },
      whyNot: WHY_NOT,
      refuses: {
        ports: "__NAME__ opens ports for the whole account, and not per instance: set them there.",
        resources: "__NAME__ has named machine types alone: give a spec.",
        maxUsdPerHour: "__NAME__ tells no prices.",
      },
      spawn: (spawning) => spawnInstance(context, spawning),
      terminate: (id, call) => terminateInstance(context, id, call),
      get: (id, call) => getInstance(context, id, call),
      list: (filter, call) => listInstances(context, filter, call),
      generateBootstrap: (config) => renderBootstrap(config, { provider: PROVIDER, format: "cloud-init" }),
      // #if multiRegion
      listRegions: async () => context.regions.map((id) => ({ id, name: id })),
      // #end
      // #if persistentVolumes
      ...volumeMethods(context),
      // #end
      // #if snapshots
      ...snapshotMethods(context),
      // #end
      // #if hibernation
      ...hibernationMethods(context),
      // #end
    },
    { runtime: { ...options.runtime, clock: context.clock } },
  );
  return { provider, hooks: __name__Hooks(context) };
}

/** One sentence for each capability that is off: whoever asks for it is told. */
const WHY_NOT: NonNullable<Parameters<typeof defineProvider<__Name__Provider>>[0]["whyNot"]> = __WHY_NOT__;

function contextOf(options: __Name__Options): __Name__Context {
  const { owner, runtime, ...config } = options;
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) throw refusal("INVALID_SPEC", "register", `__NAME__: ${describeIssue(parsed.error)}`);
  // #if multiRegion
  const [first, ...others] = options.regions ?? DEFAULT_REGIONS;
  if (first === undefined) throw refusal("INVALID_SPEC", "register", "regions must name at least one");
  // #end
  return {
    owner,
    clock: runtimeDefaults(runtime).clock,
    client: __name__Client(options),
    keyedMutex: keyedMutex(PROVIDER),
    // #if multiRegion
    regions: [first, ...others],
    // #end
  };
}
