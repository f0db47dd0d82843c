import type { Capability, CapabilityNames, Named } from "./capability.ts";
import { attachDefinitions, capabilityDefinitionsOf, capabilityRows } from "./define-capability.ts";
import { membersOf } from "./members.ts";
import { operationTable } from "./operations.ts";
import type { Provider, Supporting, Without } from "./provider.ts";
import { lacks } from "./supports.ts";

/** Wraps a provider and keeps its exact type. */
export type Layer = <P extends Provider>(provider: P) => P;
/** A layer that adds capabilities; it must also set their flags. */
export type AddingLayer<A extends Capability> = <P extends Provider>(provider: P) => Supporting<P, A>;

/** One call on its way through a layer. */
export interface LayerCall {
  readonly provider: string;
  readonly operation: string;
  readonly args: readonly unknown[];
}

/**
 * A layer around every function of a provider. `around` calls `next` to go on, and answers what the function answers:
 * a promise for all but `generateBootstrap` (its script) and `logs` (an async iterable).
 *
 * @example
 * ```ts
 * const timed = layer(async ({ operation }, next) => {
 *   const start = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     console.log(operation, performance.now() - start);
 *   }
 * });
 * await timed(provider).list();
 * ```
 */
export function layer(around: (call: LayerCall, next: () => unknown) => unknown): Layer {
  return (provider) => {
    const wrapped: Record<string, unknown> = {};
    for (const [operation, member] of membersOf(provider)) {
      wrapped[operation] =
        typeof member === "function"
          ? (...args: unknown[]): unknown =>
              around({ provider: provider.name, operation, args }, (): unknown => member(...args))
          : member;
    }
    return rebuilt(wrapped, provider);
  };
}

/**
 * The provider without some of its capabilities: their flags are off, their methods gone, their options refused.
 *
 * @example
 * ```ts
 * const plain = restrict(provider, "spot", "gpu");
 * plain.capabilities.spot; // => false
 * ```
 */
export function restrict<P extends Provider, const N extends CapabilityNames>(
  provider: P,
  ...names: N
): Without<P, Named<N>> {
  const members = Object.fromEntries(membersOf(provider));
  const owners = new Map<string, Capability>();
  const rows = capabilityRows(capabilityDefinitionsOf(provider));
  for (const name of names) {
    const row = rows.get(name);
    for (const method of Object.keys(row?.methods ?? {})) delete members[method];
    for (const option of Object.keys({ ...row?.spawn, ...row?.list })) owners.set(option, name);
  }
  const off = Object.fromEntries(names.map((name) => [name, false]));
  const why = Object.fromEntries(names.map((name) => [name, "it was restricted by its user"]));
  members["capabilities"] = { ...provider.capabilities, ...off };
  members["whyNot"] = { ...provider.whyNot, ...why };
  for (const [operation, { checks }] of Object.entries(operationTable())) {
    const method = members[operation];
    if (checks === undefined || typeof method !== "function") continue;
    members[operation] = async (request: unknown, ...rest: unknown[]): Promise<unknown> => {
      for (const [option, capability] of owners) {
        if (typeof request !== "object" || request === null || Reflect.get(request, option) === undefined) continue;
        throw lacks({ name: provider.name, whyNot: why }, capability, operation);
      }
      return (await method(request, ...rest)) as unknown;
    };
  }
  return rebuilt(members, provider);
}

/** The members as a provider of the type that the caller's signature promises; third parties' definitions come along. */
function rebuilt<P>(members: Record<string, unknown>, original: Provider): P {
  attachDefinitions(members, capabilityDefinitionsOf(original));
  // Built from every member of the original, less what the signature takes away.
  return Object.freeze(members) as unknown as P;
}
