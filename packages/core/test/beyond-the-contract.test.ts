import { describe, expect, it } from "vitest";
import {
  type BootstrapMethods,
  type CleanupItem,
  type CleanupMethods,
  type Clock,
  defineCleanup,
  defineProvider,
  type OfferingMethods,
  type PlacementMethods,
  type Provider,
  type RuntimeEvent,
} from "../src/index.ts";
import { definition, rejection } from "./subject.ts";

type Selling = Provider & OfferingMethods & PlacementMethods & BootstrapMethods;

const SECRET = "token-that-nobody-may-see";
const item: CleanupItem = { kind: "security-group", id: "sg-1", reason: "nothing uses it" };

// Every time limit is over at once.
const clock: Clock = { now: () => 0, sleep: async () => undefined };

type Operation = "listOfferings" | "placements" | "readBootstrap" | "planCleanup" | "removeLeftover";

interface Around {
  readonly events: RuntimeEvent[];
  readonly seen: unknown[];
  readonly calls: Readonly<Record<Operation, (options?: object) => Promise<unknown>>>;
}

/** The methods beyond the contract, on a remote that does `work`. */
function around(work: (signal: AbortSignal | undefined) => Promise<unknown>): Around {
  const events: RuntimeEvent[] = [];
  const seen: unknown[] = [];
  const runtime = { clock, onEvent: (event: RuntimeEvent) => events.push(event) };
  const does = async (options: { readonly signal?: AbortSignal | undefined } = {}): Promise<never> => {
    seen.push(options);
    // What it resolves with is of no interest here.
    return (await work(options.signal)) as never;
  };
  const provider = defineProvider<Selling>(
    { ...definition(), listOfferings: does, placements: does, readBootstrap: (_id, call) => does(call) },
    { runtime },
  );
  const cleanup: CleanupMethods = defineCleanup(
    provider,
    { planCleanup: does, removeLeftover: (_item, call) => does(call) },
    { runtime },
  );
  return {
    events,
    seen,
    calls: {
      listOfferings: (options) => provider.listOfferings(options),
      placements: (options = {}) => provider.placements(options),
      readBootstrap: (options) => provider.readBootstrap("i", options),
      planCleanup: (options) => cleanup.planCleanup(options),
      removeLeftover: (options) => cleanup.removeLeftover(item, options),
    },
  };
}

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

describe.each([
  ["listOfferings", "none"],
  ["placements", "none"],
  ["readBootstrap", "none"],
  ["planCleanup", "none"],
  ["removeLeftover", "unknown"],
] as const)("%s", (operation, effect) => {
  it("ends by its time limit and by the signal, with the true effect", async () => {
    const { calls } = around(untilAborted);
    expect(await rejection(calls[operation]({ timeoutMs: 5 }))).toMatchObject({ code: "TIMEOUT", operation, effect });
    const early = await rejection(calls[operation]({ signal: AbortSignal.abort() }));
    expect(early).toMatchObject({ code: "CANCELLED", operation, effect: "none" });
  });

  it("rejects with typed errors alone, whose text is the cause's", async () => {
    const { calls } = around(async () => {
      throw new TypeError(`cannot read ${SECRET}`);
    });
    const error = await rejection(calls[operation]());
    expect(error).toMatchObject({ code: "INTERNAL", provider: "subject", operation, effect });
    expect(String(error)).not.toContain(SECRET);
  });

  it("refuses an option that it does not know, before any call", async () => {
    const { calls, seen } = around(async () => []);
    for (const options of [{ timeoutMS: 5 }, { timeoutMs: -1 }, { signal: "stop" }]) {
      const error = await rejection(calls[operation](options));
      expect(error).toMatchObject({ code: "INVALID_SPEC", operation, effect: "none" });
    }
    expect(seen).toEqual([]);
  });

  it("sends the events of a call", async () => {
    const { calls, events } = around(async () => []);
    await calls[operation]();
    expect(events).toMatchObject([
      { type: "call.start", operation },
      { type: "call.end", operation, outcome: "ok" },
    ]);
  });
});

it("placements takes the options of a spawn, and makes no key", async () => {
  const { calls, seen } = around(async () => []);
  await calls.placements({ spec: "big" });
  expect(seen).toEqual([{ spec: "big" }]);
});
