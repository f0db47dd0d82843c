import { regionShape } from "./capability.ts";
import type { OperationRow, ResultKind } from "./capability-table.ts";
import { attachDefinitions, capabilityDefinitionsOf, capabilityRows } from "./define-capability.ts";
import {
  type BootstrapMethods,
  bootstrapTruthShape,
  canReadBootstrap,
  type ExecMethods,
  type LogMethods,
  type TerminalMethods,
} from "./extras.ts";
import { type Instance, instanceShape } from "./instance.ts";
import { membersOf } from "./members.ts";
import { coreOperations } from "./operations.ts";
import type { CallOptions } from "./options.ts";
import { costShape } from "./price.ts";
import type { CapabilitiesOf, Provider } from "./provider.ts";
import { fieldName, isList, isOneOf, type Shape } from "./shape.ts";
import { type Snapshot, snapshotShape } from "./snapshot.ts";
import { spotPriceShape, spotRequestShape } from "./spot.ts";
import { volumeShape } from "./volume.ts";

type Copy = (value: unknown) => unknown;

/** A function that copies these fields and no other. The shape is walked once, not at every call. */
function copier(shape: Shape): Copy {
  if (typeof shape === "string" || isList(shape) || isOneOf(shape)) return plain;
  const members = Object.entries(shape).map(([written, nested]) => ({
    name: fieldName(written),
    copy: copier(nested),
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
  const instance = copier(instanceShape);
  const snapshot = copier(snapshotShape);
  const volume = copier(volumeShape);
  return {
    instance,
    instances: each(instance),
    snapshot,
    snapshots: each(snapshot),
    volume,
    volumes: each(volume),
    spotRequest: copier(spotRequestShape),
    spotPrices: each(copier(spotPriceShape)),
    regions: each(copier(regionShape)),
    costs: each(copier(costShape)),
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

/** A provider reduced to the contract: its own instance type and its enhanced methods are gone; `exec`, `terminalCommand`, `logs` and `readBootstrap` stay. */
export type Projected<P extends Provider> = Provider<Instance, Snapshot, CapabilitiesOf<P>> &
  (P extends ExecMethods ? ExecMethods : unknown) &
  (P extends TerminalMethods ? TerminalMethods : unknown) &
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
  for (const name of ["exec", "terminalCommand", "logs"]) {
    const method = members.get(name);
    if (typeof method === "function") projected[name] = method;
  }
  if (canReadBootstrap(provider)) {
    const copy = copier(bootstrapTruthShape);
    projected["readBootstrap"] = async (id: string, call?: CallOptions): Promise<unknown> =>
      copy(await provider.readBootstrap(id, call));
  }
  attachDefinitions(projected, definitions);
  // The description, the five methods and those of every flag that is on: what Projected<P> says.
  return Object.freeze(projected) as unknown as Projected<P>;
}
