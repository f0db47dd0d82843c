import type { ResultKind } from "./capability.ts";
import type { Cost } from "./cost.ts";
import { attachDefinitions, capabilityDefinitionsOf, capabilityRows } from "./define-capability.ts";
import { canExec, canLog, type ExecMethods, type LogMethods } from "./extras.ts";
import type { Instance } from "./instance.ts";
import { membersOf } from "./members.ts";
import type { Price } from "./price.ts";
import type { CapabilitiesOf, Provider } from "./provider.ts";
import type { Region } from "./region.ts";
import type { Snapshot } from "./snapshot.ts";
import type { SpotPrice, SpotRequest } from "./spot.ts";
import type { Volume } from "./volume.ts";

// `true` copies a plain value as JSON; a nested record names the fields of an object. A field of the contract that is
// forgotten here, or one that the contract does not have, does not compile.
type Fields<T> = {
  readonly [K in keyof Required<T>]: NonNullable<T[K]> extends object ? true | Fields<NonNullable<T[K]>> : true;
};

const price: Fields<Price> = { usdPerHour: true, per: true, asOf: true, source: true };
const instance: Fields<Instance> = {
  id: true,
  status: true,
  provider: true,
  nativeId: true,
  key: true,
  owner: true,
  statusReason: { code: true, message: true },
  region: true,
  zone: true,
  spec: true,
  image: true,
  resources: { cpus: true, memoryBytes: true, diskBytes: true, gpus: { type: true, count: true } },
  addresses: { publicIpv4: true, privateIpv4: true, ipv6: true },
  ssh: { host: true, port: true, user: true },
  isSpot: true,
  bootstrap: { state: true, exitCode: true },
  labels: true,
  price,
  createdAt: true,
  expiresAt: true,
};
const snapshot: Fields<Snapshot> = {
  id: true,
  provider: true,
  status: true,
  key: true,
  owner: true,
  name: true,
  instanceId: true,
  region: true,
  sizeBytes: true,
  createdAt: true,
};
const volume: Fields<Volume> = {
  id: true,
  provider: true,
  status: true,
  key: true,
  owner: true,
  sizeBytes: true,
  region: true,
  zone: true,
  attachedTo: true,
  pool: true,
  createdAt: true,
};
const spotRequest: Fields<SpotRequest> = { requestId: true, status: true, instanceId: true };
const spotPrice: Fields<SpotPrice> = { ...price, spec: true, region: true, zone: true };
const region: Fields<Region> = { id: true, name: true };
const cost: Fields<Cost> = { usd: true, from: true, to: true, group: true, estimated: true };

interface FieldTree {
  readonly [name: string]: true | FieldTree;
}

function copyFields(value: unknown, fields: FieldTree): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, nested] of Object.entries(fields)) {
    const member: unknown = Reflect.get(value, name);
    if (member !== undefined) copy[name] = nested === true ? plain(member) : copyFields(member, nested);
  }
  return copy;
}

/** A JSON-safe copy. Scalars, which most fields are, pass as they are. */
function plain(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (JSON.parse(JSON.stringify(value)) as unknown) : value;
}

const RESULTS: Readonly<Record<ResultKind, (value: unknown) => unknown>> = {
  instance: (value) => copyFields(value, instance),
  instances: (value) => copyAll(value, instance),
  snapshot: (value) => copyFields(value, snapshot),
  snapshots: (value) => copyAll(value, snapshot),
  volume: (value) => copyFields(value, volume),
  volumes: (value) => copyAll(value, volume),
  spotRequest: (value) => copyFields(value, spotRequest),
  spotPrices: (value) => copyAll(value, spotPrice),
  regions: (value) => copyAll(value, region),
  costs: (value) => copyAll(value, cost),
  plain,
};

function copyAll(value: unknown, fields: FieldTree): unknown {
  return Array.isArray(value) ? value.map((item: unknown) => copyFields(item, fields)) : value;
}

const CORE_RESULTS: Readonly<Record<string, ResultKind>> = {
  spawn: "instance",
  terminate: "plain",
  list: "instances",
  get: "instance",
};
const DESCRIPTION = [
  "name",
  "owner",
  "contractVersion",
  "tier",
  "capabilities",
  "limits",
  "whyNot",
  "refuses",
  "generateBootstrap",
] as const;

/** The instance's contract fields in a new plain object; what a provider adds stays behind. */
export function projectInstance(value: Instance): Instance {
  // `instance` names every field of Instance, and each is copied as it is.
  return copyFields(value, instance) as Instance;
}

/** The snapshot's contract fields in a new plain object. */
export function projectSnapshot(value: Snapshot): Snapshot {
  return copyFields(value, snapshot) as Snapshot;
}

/** A provider reduced to the contract: its own instance type and its enhanced methods are gone; `exec` and `logs` stay. */
export type Projected<P extends Provider> = Provider<Instance, Snapshot, CapabilitiesOf<P>> &
  (P extends ExecMethods ? ExecMethods : unknown) &
  (P extends LogMethods ? LogMethods : unknown);

/** The same provider through the contract alone: results are allow-listed, plain and JSON-safe. */
export function projectProvider<P extends Provider>(provider: P): Projected<P> {
  const members = membersOf(provider);
  const definitions = capabilityDefinitionsOf(provider);
  const results: Record<string, ResultKind> = { ...CORE_RESULTS };
  for (const [capability, row] of capabilityRows(definitions)) {
    if (provider.capabilities[capability] === true) Object.assign(results, row.methods);
  }
  const projected: Record<string, unknown> = {};
  for (const name of DESCRIPTION) projected[name] = members.get(name);
  for (const [name, kind] of Object.entries(results)) {
    const method = members.get(name);
    if (typeof method !== "function") continue;
    const copy = RESULTS[kind];
    projected[name] = async (...args: unknown[]): Promise<unknown> => copy(await method(...args));
  }
  if (canExec(provider)) projected["exec"] = members.get("exec");
  if (canLog(provider)) projected["logs"] = members.get("logs");
  attachDefinitions(projected, definitions);
  // The description, the five methods and those of every flag that is on: what Projected<P> says.
  return Object.freeze(projected) as unknown as Projected<P>;
}
