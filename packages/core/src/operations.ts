import { type BuiltinCapability, type Capability, type CapabilityPart, type FurtherCapability } from "./capability.ts";
import {
  capabilityTable,
  furtherCapabilities,
  type OperationRow,
  type OperationRows,
  type RequestOf,
} from "./capability-table.ts";
import type { Instance } from "./instance.ts";
import type { CoreMethods, ListFilter, SpawnOptions } from "./provider.ts";

type Calls = Omit<CoreMethods<Instance, SpawnOptions, ListFilter>, "generateBootstrap">;
type MethodNames<K extends Capability> = K extends unknown
  ? Extract<keyof CapabilityPart<K, "methods">, string>
  : never;
type MethodOf<N, K extends Capability = BuiltinCapability | FurtherCapability> = N extends keyof Calls
  ? Calls[N]
  : K extends unknown
    ? N extends keyof CapabilityPart<K, "methods">
      ? CapabilityPart<K, "methods">[N]
      : never
    : never;

/** A method of the contract that calls a remote. */
export type OperationName = keyof Calls | MethodNames<BuiltinCapability | FurtherCapability>;

/** Those that cannot be called without a request: an id alone, or nothing, is not enough. */
export type RequestOperation = {
  [N in OperationName]: [RequestOf<MethodOf<N>>] extends [never] ? never : N;
}[OperationName];

/** Those that make something under a key: whoever calls one has to take away what it made. */
export type MakingOperation = {
  [N in RequestOperation]: [object] extends [RequestOf<MethodOf<N>>]
    ? N
    : "key" extends keyof RequestOf<MethodOf<N>>
      ? N
      : never;
}[RequestOperation];

/** What every provider has, and calls a remote. */
export const coreOperations: OperationRows<Calls> = {
  spawn: { result: "instance", writes: true, callArgument: 0, checks: "spawn" },
  terminate: { result: "nothing", writes: true, callArgument: 1, takes: "instance" },
  list: { result: "instances", writes: false, callArgument: 1, checks: "list" },
  get: { result: "instance", writes: false, callArgument: 1, takes: "instance" },
};

/**
 * Every method of the contract that calls a remote, and all that is known of it before the call. Lists of methods are
 * made from it: a new method is in all of them.
 *
 * @example
 * ```ts
 * const { writes, result } = operationTable().terminate;
 * writes; // => true
 * result; // => "nothing"
 * ```
 */
export function operationTable(): { readonly [N in OperationName]: OperationRow } {
  const rows: Record<string, OperationRow> = { ...coreOperations };
  for (const { methods } of Object.values({ ...capabilityTable, ...furtherCapabilities })) Object.assign(rows, methods);
  // Core's own methods, and all of the table of capabilities.
  return rows as { readonly [N in OperationName]: OperationRow };
}
