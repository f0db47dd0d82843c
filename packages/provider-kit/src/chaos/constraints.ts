import { type Clock, type Instance, type Provider, ProviderError } from "@slipway/core";
import { makes, showsInstances, starts } from "./operations.ts";
import type { ChaosConstraints } from "./plan.ts";
import { fieldOf, numberIn, type Thing, textIn, thingsIn } from "./things.ts";

/** A refusal that a constraint gives: why, in words for the journal. */
export interface Refused {
  readonly error: ProviderError;
  readonly what: string;
}

export interface Constraints {
  /** Refuses a call that has no capacity, or lets it pass. What it answers must be called with the call's outcome. */
  readonly enter: (operation: string, args: readonly unknown[]) => Promise<Refused | ((answer: unknown) => void)>;
  /** What the caller asks of the remote, where slow boots change what a filter means. */
  readonly asked: (operation: string, args: readonly unknown[]) => readonly unknown[];
  /** What the caller sees, where instances boot slowly. */
  readonly shown: (operation: string, args: readonly unknown[], answer: unknown) => unknown;
}

export function constraintsOn(provider: Provider, limits: ChaosConstraints, clock: Clock): Constraints {
  const bounded = [limits.maxInstances, limits.cpus, limits.memoryBytes].some((bound) => bound !== undefined);
  // What was just made may not be listed yet.
  const mine = new Map<string, { readonly at: number; readonly instance: Thing }>();
  let last: Promise<unknown> = Promise.resolve();

  const refused = (operation: string, code: "QUOTA_EXCEEDED" | "CAPACITY_ERROR", what: string): Refused => ({
    what,
    error: new ProviderError(code, {
      message: `${operation}: ${what}`,
      provider: provider.name,
      operation,
      effect: "none",
    }),
  });

  async function live(): Promise<readonly Thing[]> {
    const listed: readonly Instance[] = await provider.list();
    const found = new Map(thingsIn(listed).map((instance) => [instance.id, instance]));
    for (const [id, { at, instance }] of mine) {
      if (clock.now() - at <= provider.limits.readAfterWriteMs) found.set(id, found.get(id) ?? instance);
      else mine.delete(id);
    }
    return [...found.values()];
  }

  async function capacityFor(operation: string, request: unknown): Promise<Refused | null> {
    const there = await live();
    const key = fieldOf(request, "key");
    // A repeated key makes nothing new.
    if (typeof key === "string" && there.some((instance) => instance["key"] === key)) return null;
    const sum = (name: string): number =>
      there.reduce((all, instance) => all + numberIn(instance, "resources", name), 0);
    if (limits.maxInstances !== undefined && there.length >= limits.maxInstances) {
      return refused(
        operation,
        "QUOTA_EXCEEDED",
        `there are ${there.length} instances of at most ${limits.maxInstances}`,
      );
    }
    for (const name of ["cpus", "memoryBytes"] as const) {
      const bound = limits[name];
      // A request that names a spec does not say what it needs: then it is enough that something is left.
      const wanted = Math.max(numberIn(request, "resources", name), Number.MIN_VALUE);
      if (bound !== undefined && (sum(name) >= bound || sum(name) + wanted > bound)) {
        return refused(operation, "CAPACITY_ERROR", `${name} in use: ${sum(name)} of ${bound}`);
      }
    }
    return null;
  }

  const booting = (thing: Thing): boolean => {
    const made = Date.parse(textIn(thing, "createdAt") ?? "");
    return thing["status"] === "running" && clock.now() < made + (limits.bootMs ?? 0);
  };
  const slowed = (thing: Thing): Thing => {
    if (!booting(thing)) return thing;
    const { ssh: _notYet, bootstrap, ...rest } = thing;
    const queued = bootstrap === undefined ? {} : { bootstrap: { state: "pending" } };
    return { ...rest, status: "pending", addresses: {}, ...queued };
  };

  return {
    enter: async (operation, args) => {
      if (limits.diskFull === true && makes(operation)) return refused(operation, "CAPACITY_ERROR", "the disk is full");
      if (operation === "terminate") return () => void mine.delete(String(args[0]));
      if (!bounded || !starts(operation)) return () => undefined;
      // One at a time: two who look together would both find capacity.
      const before = last;
      let leave = (): void => undefined;
      last = new Promise<void>((resolve) => {
        leave = resolve;
      });
      await before;
      try {
        const full = await capacityFor(operation, args[0]);
        if (full !== null) {
          leave();
          return full;
        }
      } catch (error) {
        leave();
        throw error;
      }
      return (answer) => {
        for (const instance of thingsIn(answer)) mine.set(instance.id, { at: clock.now(), instance });
        leave();
      };
    },
    asked: (operation, args) => {
      const [filter, ...rest] = args;
      const status = fieldOf(filter, "status");
      if (limits.bootMs === undefined || operation !== "list" || !Array.isArray(status)) return args;
      if (!status.includes("pending") || status.includes("running")) return args;
      return [{ ...Object(filter), status: [...status, "running"] }, ...rest];
    },
    shown: (operation, args, answer) => {
      if (limits.bootMs === undefined || !showsInstances(operation)) return answer;
      if (!Array.isArray(answer)) return thingsIn(answer).map(slowed)[0] ?? answer;
      const status = fieldOf(args[0], "status");
      return thingsIn(answer)
        .map(slowed)
        .filter((thing) => !Array.isArray(status) || status.includes(thing["status"]));
    },
  };
}
