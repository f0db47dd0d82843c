import type { OperationRow, ResultKind } from "./capability.ts";
import type { Cost } from "./cost.ts";
import { attachDefinitions, capabilityDefinitionsOf, capabilityRows } from "./define-capability.ts";
import {
  type BootstrapMethods,
  type BootstrapTruth,
  canExec,
  canLog,
  canReadBootstrap,
  type ExecMethods,
  type LogMethods,
} from "./extras.ts";
import type { Instance } from "./instance.ts";
import { membersOf } from "./members.ts";
import { coreOperations } from "./operations.ts";
import type { CallOptions } from "./options.ts";
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

interface FieldTree {
  readonly [name: string]: true | FieldTree;
}
type Copy = (value: unknown) => unknown;

/** A function that copies these fields and no other. The tree is walked once, not at every call. */
function copier(fields: FieldTree): Copy {
  const members = Object.entries(fields).map(([name, nested]) => ({
    name,
    copy: nested === true ? plain : copier(nested),
  }));
  return (value) => {
    if (!isObject(value)) return value;
    const copied: Record<string, unknown> = {};
    for (const { name, copy } of members) {
      const member = value[name];
      if (member !== undefined) copied[name] = copy(member);
    }
    return copied;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A JSON-safe copy. Scalars, which most fields are, pass as they are. */
function plain(value: unknown): unknown {
  if (!isObject(value)) return value;
  return isTextMap(value) ? { ...value } : (JSON.parse(JSON.stringify(value)) as unknown);
}

/** Labels are nothing else, and every instance has them: they need no way through JSON. */
function isTextMap(value: Readonly<Record<string, unknown>>): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const name in value) if (typeof value[name] !== "string") return false;
  return true;
}

const each =
  (copy: Copy): Copy =>
  (value) =>
    Array.isArray(value) ? value.map(copy) : value;

let copies: Readonly<Record<ResultKind, Copy>> | undefined;

/** Made at the first need, so that importing core costs nothing. */
function copyOf(kind: ResultKind): Copy {
  copies ??= makeCopies();
  return copies[kind];
}

function makeCopies(): Readonly<Record<ResultKind, Copy>> {
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
    terminateBy: { at: true, by: true },
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
  return {
    instance: copier(instance),
    instances: each(copier(instance)),
    snapshot: copier(snapshot),
    snapshots: each(copier(snapshot)),
    volume: copier(volume),
    volumes: each(copier(volume)),
    spotRequest: copier(spotRequest),
    spotPrices: each(copier(spotPrice)),
    regions: each(copier(region)),
    costs: each(copier(cost)),
    nothing: () => undefined,
    plain,
  };
}

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

/**
 * The instance's contract fields in a new plain object; what a provider adds stays behind.
 *
 * @example
 * ```ts
 * const instance = await provider.spawn({ key: "worker-1", spec: "m1.small" });
 * JSON.stringify(projectInstance(instance));
 * ```
 */
export function projectInstance(value: Instance): Instance {
  // Its tree names every field of Instance, and each is copied as it is.
  return copyOf("instance")(value) as Instance;
}

/**
 * The snapshot's contract fields in a new plain object.
 *
 * @example
 * ```ts
 * const { id } = await provider.spawn({ key: "worker-1", spec: "m1.small" });
 * JSON.stringify(projectSnapshot(await provider.createSnapshot(id, { key: "before-upgrade" })));
 * ```
 */
export function projectSnapshot(value: Snapshot): Snapshot {
  return copyOf("snapshot")(value) as Snapshot;
}

/** A provider reduced to the contract: its own instance type and its enhanced methods are gone; `exec`, `logs` and `readBootstrap` stay. */
export type Projected<P extends Provider> = Provider<Instance, Snapshot, CapabilitiesOf<P>> &
  (P extends ExecMethods ? ExecMethods : unknown) &
  (P extends LogMethods ? LogMethods : unknown) &
  (P extends BootstrapMethods ? BootstrapMethods : unknown);

/**
 * The same provider through the contract alone: results are allow-listed, plain and JSON-safe.
 *
 * @example
 * ```ts
 * const exact = projectProvider(provider);
 * JSON.stringify(await exact.list()); // => "[]"
 * ```
 */
export function projectProvider<P extends Provider>(provider: P): Projected<P> {
  const members = membersOf(provider);
  const definitions = capabilityDefinitionsOf(provider);
  const operations: Record<string, OperationRow> = { ...coreOperations };
  for (const [capability, row] of capabilityRows(definitions)) {
    if (provider.capabilities[capability] === true) Object.assign(operations, row.methods);
  }
  const projected: Record<string, unknown> = {};
  for (const name of DESCRIPTION) projected[name] = members.get(name);
  for (const [name, { result }] of Object.entries(operations)) {
    const method = members.get(name);
    if (typeof method !== "function") continue;
    const copy = copyOf(result);
    projected[name] = async (...args: unknown[]): Promise<unknown> => copy(await method(...args));
  }
  if (canExec(provider)) projected["exec"] = members.get("exec");
  if (canLog(provider)) projected["logs"] = members.get("logs");
  if (canReadBootstrap(provider)) {
    const copy = copier({ state: true, exitCode: true, lastLines: true } satisfies Fields<BootstrapTruth>);
    projected["readBootstrap"] = async (id: string, call?: CallOptions): Promise<unknown> =>
      copy(await provider.readBootstrap(id, call));
  }
  attachDefinitions(projected, definitions);
  // The description, the five methods and those of every flag that is on: what Projected<P> says.
  return Object.freeze(projected) as unknown as Projected<P>;
}
