import { type Capability } from "./capability.ts";
import { type CapabilityRow, capabilityTable, furtherCapabilities, type ResultKind } from "./capability-table.ts";
import type { Instance } from "./instance.ts";
import { coreOperations } from "./operations.ts";
import { type BaseSpawnOptions, filterShape, spawnShape } from "./options.ts";
import type { Provider } from "./provider.ts";
import { fieldName } from "./shape.ts";
import type { Snapshot } from "./snapshot.ts";
import { lacks } from "./supports.ts";

/** What a capability's own conformance case gets. */
export interface CapabilityCaseContext<C extends Capability = never> {
  /** The provider under test, which has the capability. All that is spawned through it is cleaned up. */
  readonly provider: Provider<Instance, Snapshot, C>;
  /** A request that works on this provider, with a fresh key. */
  readonly spawnOptions: () => BaseSpawnOptions & { readonly key: string };
}

/** One case that every provider with the capability must pass. */
export interface CapabilityCase<C extends Capability = never> {
  /** Unique, as `checkpoint.restores`. */
  readonly id: string;
  readonly title: string;
  /** Throws where the provider breaks the promise. */
  readonly run: (context: CapabilityCaseContext<C>) => Promise<void>;
}

/** A capability that core does not know, at run time. */
export interface CapabilityDefinition {
  readonly name: Capability;
  /** One line for the capability matrix. */
  readonly description: string;
  /** Names of the options that it unlocks. */
  readonly options: { readonly spawn?: readonly string[]; readonly list?: readonly string[] };
  /** Its methods, and how each result is copied when the provider is projected. */
  readonly methods: Readonly<Record<string, ResultKind>>;
  readonly cases: readonly CapabilityCase[];
}

/** As `defineCapability` takes it: the provider of its cases has the methods and options of the capability so named. */
export interface WrittenCapability<C extends Capability> extends Omit<CapabilityDefinition, "name" | "cases"> {
  readonly name: C;
  readonly cases: readonly CapabilityCase<NoInfer<C>>[];
}

/**
 * The run-time half of a capability that a package merged into `CapabilityMap`. Hand it to `defineProvider`'s
 * `capabilityDefinitions`: from it come the refusal of its options where it is off, projection, its column in the
 * matrix, and its cases in the suite.
 *
 * @example
 * ```ts
 * declare module "@slipway/core" {
 *   interface CapabilityMap<T> {
 *     readonly pausing: { methods: { readonly pause: (id: string) => Promise<void> } };
 *   }
 * }
 * export const pausing = defineCapability({
 *   name: "pausing",
 *   description: "Stops the processor of an instance.",
 *   methods: { pause: "plain" },
 *   options: {},
 *   cases: [],
 * });
 * ```
 */
export function defineCapability<const C extends Capability>(written: WrittenCapability<C>): CapabilityDefinition {
  const { name, methods, options } = written;
  const taken = [name, ...Object.keys(methods), ...(options.spawn ?? []), ...(options.list ?? [])].find((word) =>
    contractWords().has(word),
  );
  if (taken !== undefined) throw new TypeError(`capability ${name}: the contract already has a meaning for ${taken}`);
  return { ...written, cases: written.cases.map((one) => guardedCase(name, one)) };
}

/** The case for any provider: one without the capability is told so, and the case itself sees only those that have it. */
function guardedCase<C extends Capability>(name: C, written: CapabilityCase<C>): CapabilityCase {
  return {
    ...written,
    run: async ({ provider, spawnOptions }) => {
      if (!hasCapability(provider, name)) throw lacks(provider, name, written.id);
      await written.run({ provider, spawnOptions });
    },
  };
}

// `supports` proves single literals alone, and C is known to the caller only.
function hasCapability<C extends Capability>(
  provider: Provider,
  name: C,
): provider is Provider & Provider<Instance, Snapshot, C> {
  return provider.capabilities[name] === true;
}

/** What a capability of a third party may not be called, nor its methods and options: projection and refusal go by name. */
function contractWords(): ReadonlySet<string> {
  const words = new Set(Object.keys({ ...spawnShape, ...filterShape }).map(fieldName));
  const beyond = ["exec", "terminalCommand", "logs", "readBootstrap", "listOfferings", "placements"];
  for (const word of [...Object.keys(coreOperations), "generateBootstrap", ...beyond]) words.add(word);
  for (const [capability, row] of Object.entries({ ...capabilityTable, ...furtherCapabilities })) {
    for (const word of [capability, ...Object.keys({ ...row.methods, ...row.spawn, ...row.list })]) words.add(word);
  }
  return words;
}

// Registered, so that a provider made with another copy of core is read too.
const DEFINITIONS = Symbol.for("slipway.capabilityDefinitions");

/** Remembers on the provider which capabilities of third parties it was made with. */
export function attachDefinitions(provider: object, definitions: readonly CapabilityDefinition[]): void {
  if (definitions.length > 0) Object.defineProperty(provider, DEFINITIONS, { value: definitions });
}

/**
 * The capabilities of third parties that a provider was made with.
 *
 * @example
 * ```ts
 * capabilityDefinitionsOf(provider).map(({ name }) => name); // => []
 * ```
 */
export function capabilityDefinitionsOf(provider: object): readonly CapabilityDefinition[] {
  const found: unknown = Reflect.get(provider, DEFINITIONS);
  // Only `attachDefinitions` writes under this symbol.
  return Array.isArray(found) ? (found as readonly CapabilityDefinition[]) : [];
}

/** Rows of the built-in table and of the given definitions, by capability. */
export function capabilityRows(definitions: readonly CapabilityDefinition[]): ReadonlyMap<Capability, CapabilityRow> {
  const rows = new Map<Capability, CapabilityRow>();
  for (const [name, row] of Object.entries({ ...capabilityTable, ...furtherCapabilities })) {
    rows.set(name as Capability, row);
  }
  for (const { name, options, methods } of definitions) {
    rows.set(name, { methods: asOperations(methods), spawn: asSet(options.spawn), list: asSet(options.list) });
  }
  return rows;
}

/** Methods of third parties count as writes: that is the safe side. */
function asOperations(methods: CapabilityDefinition["methods"]): CapabilityRow["methods"] {
  return Object.fromEntries(
    Object.entries(methods).map(([name, result]) => [name, { result, writes: true, callArgument: 1 }]),
  );
}

function asSet(names: readonly string[] | undefined): Readonly<Record<string, true>> {
  return Object.fromEntries((names ?? []).map((name) => [name, true as const]));
}
