import { type Instance, isProviderError, type Provider, ProviderError, type ProviderErrorDetails } from "@slipway/core";
import type { Harness } from "../../src/harness.ts";
import type { Mutate } from "./mutant.ts";

/** One call that a mutated provider has seen. */
export interface SeenCall {
  readonly operation: string;
  readonly args: readonly unknown[];
  readonly process: number;
  /** Absent while it is under way. */
  outcome?: { readonly value?: unknown; readonly error?: unknown };
}

/** Where a call is made: by which of the world's provider objects, and what was called in this world before it. */
export interface Place {
  readonly process: number;
  readonly harness: Harness;
  readonly provider: Provider;
  /** Every earlier call through any provider of this world, without this one. */
  readonly calls: readonly SeenCall[];
}

type Method = (...args: readonly unknown[]) => unknown;
export type Around = (args: readonly unknown[], next: Method, place: Place) => unknown;

/** Puts a changed behaviour around methods of every provider object of a world. */
export function intercept(arounds: { readonly [operation: string]: Around }): Mutate {
  return (harness) => {
    const calls: SeenCall[] = [];
    let processes = 0;
    const changed = (provider: Provider): Provider => {
      const process = processes++;
      const members: Record<string, unknown> = { ...provider };
      for (const [operation, member] of Object.entries(members)) {
        if (typeof member !== "function") continue;
        const next: Method = (...args) => member(...args);
        const around: Around = arounds[operation] ?? ((args, go) => go(...args));
        members[operation] = (...args: readonly unknown[]): unknown => {
          const earlier = calls.slice();
          const call: SeenCall = { operation, args, process };
          calls.push(call);
          return noted(call, () => around(args, next, { process, harness, provider, calls: earlier }));
        };
      }
      // Every member of a provider, functions wrapped with their own parameters.
      return members as unknown as Provider;
    };
    return {
      ...harness,
      registration: { ...harness.registration, provider: changed(harness.registration.provider) },
      another: async (options) => changed(await harness.another(options)),
    };
  };
}

/** Keeps an answer as it comes; `generateBootstrap` answers at once, all others promise. */
function noted(call: SeenCall, run: () => unknown): unknown {
  const answer = run();
  if (!(answer instanceof Promise)) return answer;
  return answer.then(
    (value: unknown) => {
      call.outcome = { value };
      return value;
    },
    (error: unknown) => {
      call.outcome = { error };
      throw error;
    },
  );
}

/** The argument as a record, to be looked at; empty if it is none. */
export function fields(argument: unknown): Record<string, unknown> {
  return typeof argument === "object" && argument !== null ? { ...argument } : {};
}

/** A change of what one method is asked for. */
export function asked(
  operation: string,
  change: (request: Record<string, unknown>, place: Place) => Record<string, unknown>,
): Mutate {
  return intercept({
    [operation]: (args, next, place) => {
      const [request, ...rest] = args;
      return typeof request === "object" && request !== null
        ? next(change(fields(request), place), ...rest)
        : next(...args);
    },
  });
}

/** The request without some fields, where the condition holds of it. */
export function ignoring(
  operation: string,
  names: readonly string[],
  when: (request: Record<string, unknown>, place: Place) => boolean = () => true,
): Mutate {
  return asked(operation, (request, place) => {
    if (!when(request, place)) return request;
    return Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));
  });
}

/** A change of what one method answers. */
export function answered<T = Record<string, unknown>>(
  operation: string,
  change: (value: T, args: readonly unknown[], place: Place) => unknown,
): Mutate {
  return intercept({
    // The mutant's author names the type that the method answers.
    [operation]: async (args, next, place) => change((await next(...args)) as T, args, place),
  });
}

const TELLING = ["spawn", "get"] as const;

/** A change of every instance that spawn, get and list tell of. */
export function told(change: (instance: Instance, place: Place) => Instance): Mutate {
  const one: Around = async (args, next, place) => {
    const instance = (await next(...args)) as Instance | null;
    return instance === null ? null : change(instance, place);
  };
  const all: Around = async (args, next, place) =>
    ((await next(...args)) as readonly Instance[]).map((instance) => change(instance, place));
  return intercept({ ...Object.fromEntries(TELLING.map((operation) => [operation, one])), list: all });
}

/** A change of how one method fails: what it answers instead, or throws. */
export function failed(
  operation: string,
  change: (error: ProviderError, args: readonly unknown[], place: Place) => unknown,
): Mutate {
  return intercept({
    [operation]: async (args, next, place) => {
      try {
        return await next(...args);
      } catch (error) {
        if (!isProviderError(error)) throw error;
        return await change(error, args, place);
      }
    },
  });
}

/** The same error with some details changed. */
export function reworded(error: ProviderError, changed: Partial<ProviderErrorDetails>): ProviderError {
  const { message, provider, operation, effect, scope, native, hint, exhausted, retryAfterMs } = error;
  const details = { message, provider, operation, effect, scope, native, hint, exhausted, retryAfterMs };
  return new ProviderError(error.code, { ...details, ...changed });
}

/** An error that a conforming provider would not throw here. */
export function wrongly(
  code: "NOT_FOUND" | "INVALID_STATE" | "BUSY" | "UNSUPPORTED",
  operation: string,
): ProviderError {
  return new ProviderError(code, { message: "a mutant says so", provider: "memory", operation, effect: "none" });
}

/** Data of the provider that is other than it should be. */
export function describing(change: (provider: Provider, process: number) => object): Mutate {
  return (harness) => {
    let processes = 0;
    const changed = (provider: Provider): Provider => {
      const members: object = { ...provider };
      // Descriptors, so that a getter stays one.
      Object.defineProperties(members, Object.getOwnPropertyDescriptors(change(provider, processes++)));
      // A provider's members, some with other values: that is the mutant.
      return members as Provider;
    };
    return {
      ...harness,
      registration: { ...harness.registration, provider: changed(harness.registration.provider) },
      another: async (options) => changed(await harness.another(options)),
    };
  };
}

/** A provider that lacks some methods, whatever its flags say. */
export function lackingMethods(...names: readonly string[]): Mutate {
  return describing(() => Object.fromEntries(names.map((name) => [name, undefined])));
}

/** An inspector that counts writes which are not there, once `happened` says so. */
export function secretWrites(mutate: (secretly: () => void) => Mutate): Mutate {
  return (harness) => {
    let extra = 0;
    const mutated = mutate(() => {
      extra += 1;
    })(harness);
    const changes = async (): Promise<number> => ((await harness.inspector.changes?.()) ?? 0) + extra;
    return { ...mutated, inspector: { ...mutated.inspector, changes } };
  };
}

/** Spawns that succeeded before, oldest first. */
export function spawnsOf(
  { calls }: Place,
  key: unknown,
): readonly { readonly call: SeenCall; readonly instance: Instance }[] {
  return calls.flatMap((call) => {
    const instance = call.outcome?.value;
    const same = call.operation === "spawn" && fields(call.args[0])["key"] === key;
    // What a spawn resolved with is an instance.
    return same && instance !== undefined ? [{ call, instance: instance as Instance }] : [];
  });
}

/** Earlier calls of one operation that are still under way. */
export function underWay({ calls }: Place, operation: string): readonly SeenCall[] {
  return calls.filter((call) => call.operation === operation && call.outcome === undefined);
}
