import type { Provider, Snapshot, WhyNot } from "@slipway/core";
import { checkedOptions, fromEnvironment, type ProviderParts, providerFromDriver } from "@slipway/provider-kit/driver";
// #if snapshots
import { keyedMutex } from "@slipway/provider-kit/limits";
// #end
// #if hibernation
import { hibernationMethods } from "./capabilities/hibernation.ts";
// #end
// #if persistentVolumes
import { volumeDriver } from "./capabilities/persistent-volumes.ts";
// #end
// #if snapshots
import { snapshotMethods } from "./capabilities/snapshots.ts";
// #end
import { __name__Client } from "./client/client.ts";
import { MAX_USER_DATA_BYTES, __name__Driver } from "./driver.ts";
// #if multiRegion
import { PROVIDER, refusal } from "./errors.ts";
// #else
import { PROVIDER } from "./errors.ts";
// #end
import type { __Name__Instance } from "./instance.ts";
// #if multiRegion
import { configSchema, DEFAULT_REGIONS, ENVIRONMENT, type __Name__Options, type __Name__Settings } from "./options.ts";
// #else
import { configSchema, ENVIRONMENT, type __Name__Options, type __Name__Settings } from "./options.ts";
// #end
// #if persistentVolumes
import type { WireDisk, WireMachine } from "./wire.ts";
// #else
import type { WireMachine } from "./wire.ts";
// #end

/** What this provider can do beyond the core methods: part of its public API. */
export type __Name__Capability = __CAPABILITIES_TYPE__;
export type __Name__Provider = Provider<__Name__Instance, Snapshot, __Name__Capability>;

/** Reads the variables that `register` reads. Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function __name__(options: __Name__Options): __Name__Provider {
  return __name__Parts(fromEnvironment(PROVIDER, ENVIRONMENT, options, process.env)).provider;
}

/** The provider and its hooks, over one client. */
export function __name__Parts(options: __Name__Settings): ProviderParts<__Name__Provider> {
  const { owner, runtime } = options;
  // #if multiRegion
  // #if http
  const { regions = DEFAULT_REGIONS } = checkedOptions(PROVIDER, configSchema, options, ["apiKey"]);
  // #end
  // #if cli
  const { regions = DEFAULT_REGIONS } = checkedOptions(PROVIDER, configSchema, options);
  // #end
  const [defaultRegion] = regions;
  if (defaultRegion === undefined) throw refusal("INVALID_SPEC", "register", "regions must name at least one");
  // #else
  // #if http
  checkedOptions(PROVIDER, configSchema, options, ["apiKey"]);
  // #end
  // #if cli
  checkedOptions(PROVIDER, configSchema, options);
  // #end
  // #end
  const client = __name__Client(options);
  // #if persistentVolumes
  return providerFromDriver<__Name__Provider, WireMachine, unknown, WireDisk>({
  // #else
  return providerFromDriver<__Name__Provider, WireMachine, unknown>({
  // #end
    name: PROVIDER,
    owner,
    tier: "additional",
    capabilities: __CAPABILITIES_FLAGS__,
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: 32,
      nameMaxLength: 63,
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
    // #if multiRegion
    driver: __name__Driver(client, defaultRegion),
    regions,
    // #else
    driver: __name__Driver(client),
    // #end
    // #if persistentVolumes
    // #if multiRegion
    volumes: volumeDriver(client, defaultRegion),
    // #else
    volumes: volumeDriver(client),
    // #end
    // #end
    // #if multiRegion|snapshots|hibernation
    // #if snapshots|hibernation
    methods: ({ lifeCycle }) => ({
    // #else
    methods: () => ({
    // #end
      // #if multiRegion
      listRegions: async () => regions.map((id) => ({ id, name: id })),
      // #end
      // #if snapshots
      ...snapshotMethods(client, owner, keyedMutex(PROVIDER), lifeCycle),
      // #end
      // #if hibernation
      ...hibernationMethods(client, lifeCycle),
      // #end
    }),
    // #end
    // Whatever is wrong with the credentials shows at the first question.
    hooks: { startup: async (call) => void (await client.list(call)) },
    runtime,
  });
}

/** One sentence for each capability that is off: whoever asks for it is told. */
const WHY_NOT: WhyNot<__Name__Capability> = __WHY_NOT__;
