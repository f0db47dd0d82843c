export type { CredentialSource } from "../http/credential.ts";
export { defaultHooks, type HookParts } from "./default-hooks.ts";
export {
  type Accepted,
  type Call,
  type CreateAttempt,
  type Created,
  type Destroyed,
  type Driver,
  type Found,
  type Identity,
  type InstanceBase,
  type ListHint,
  type Ownership,
  type Refused,
  type SpawnRequest,
  Undone,
} from "./driver.ts";
export {
  type Present,
  positive,
  present,
  type StatusRow,
  type StatusTable,
  statusTable,
  utcTime,
} from "./instance-fields.ts";
export { LifeCycle } from "./life-cycle.ts";
export { type OwnershipTags, ownershipByName, ownershipTags, type Tags } from "./ownership-tags.ts";
export { cheapestFirst, livePrice, type PriceCheck, type PricedMachine, withinPriceCap } from "./prices.ts";
export {
  type DriverDefinition,
  type DriverParts,
  type ProviderParts,
  providerFromDriver,
  type SpawnOptionsOfDriver,
} from "./provider-from-driver.ts";
export {
  checkedConfig,
  checkedOptions,
  describeIssue,
  type EnvironmentField,
  type EnvironmentFields,
  type Filled,
  fromEnvironment,
  registerFrom,
} from "./register-from.ts";
export { type SingleFlight, singleFlight } from "./single-flight.ts";
export type { VolumeDriver, VolumeIdentity, VolumeRequest } from "./volume-driver.ts";
export { type WriteCache, writeCache } from "./write-cache.ts";
