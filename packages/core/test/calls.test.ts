import { describe, expect, it, vi } from "vitest";
import {
  type CallOptions,
  type Clock,
  defineProvider,
  type Instance,
  type Provider,
  type ProviderDefinition,
  ProviderError,
  type RuntimeEvent,
  type Snapshot,
} from "../src/index.ts";
import { definition, INSTANCE, rejection, subject } from "./subject.ts";

const SECRET = "sk-live-4711";

/** A clock that stands still until it is moved. */
function handClock() {
  let now = Date.parse("2026-01-31T12:00:00Z");
  const sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  let ended = 0;
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ until: now + ms, wake: resolve });
        signal?.addEventListener("abort", () => {
          ended++;
          reject(new Error("ended"));
        });
      }),
  };
  const move = (ms: number): void => {
    now += ms;
    for (const { until, wake } of sleepers) if (until <= now) wake();
  };
  return { clock, move, sleepers, ended: () => ended };
}

/** A call that goes on until its signal ends it, and then rejects as `fetch` does. */
const untilAborted = (call?: CallOptions): Promise<never> =>
  new Promise((_, reject) => {
    call?.signal?.addEventListener("abort", () => reject(call.signal?.reason));
  });

describe("a failure that is no ProviderError", () => {
  const fail = async (): Promise<never> => {
    throw Object.assign(new TypeError(`cannot read ${SECRET}`), { token: SECRET });
  };
  const provider = defineProvider<Provider<Instance, Snapshot, "snapshots" | "costExplorer">>({
    ...definition(),
    capabilities: { snapshots: true, costExplorer: true },
    spawn: fail,
    terminate: fail,
    list: fail,
    get: fail,
    createSnapshot: fail,
    getSnapshotStatus: fail,
    deleteSnapshot: fail,
    listSnapshots: fail,
    getCosts: fail,
  });
  const day = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };

  it.each<[string, "none" | "unknown", () => Promise<unknown>]>([
    ["spawn", "unknown", () => provider.spawn({})],
    ["terminate", "unknown", () => provider.terminate("i")],
    ["list", "none", () => provider.list()],
    ["get", "none", () => provider.get("i")],
    ["createSnapshot", "unknown", () => provider.createSnapshot("i", { key: "s" })],
    ["getSnapshotStatus", "none", () => provider.getSnapshotStatus("s")],
    ["deleteSnapshot", "unknown", () => provider.deleteSnapshot("s")],
    ["listSnapshots", "none", () => provider.listSnapshots()],
    ["getCosts", "none", () => provider.getCosts(day)],
  ])("in %s is INTERNAL with effect %s, and its text stays in the cause", async (operation, effect, call) => {
    const error = await rejection(call());
    expect(error).toMatchObject({ code: "INTERNAL", provider: "subject", operation, effect, retryable: false });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(SECRET);
    expect(String(error)).toContain("TypeError");
    expect(error).toHaveProperty("cause.message", `cannot read ${SECRET}`);
  });

  it("is none where options could not even be read", async () => {
    const options = {
      get spec(): string {
        throw new Error(SECRET);
      },
    };
    const error = await rejection(subject().spawn(options));
    expect(error).toMatchObject({ code: "INTERNAL", effect: "none" });
    expect(String(error)).not.toContain(SECRET);
  });

  it("may be anything that is thrown, also outside a promise", async () => {
    for (const thrown of [SECRET, undefined, null, 5, { token: SECRET }]) {
      const provider = subject({
        get: () => {
          throw thrown;
        },
      });
      const error = await rejection(provider.get("i"));
      expect(error).toMatchObject({ code: "INTERNAL", effect: "none", operation: "get" });
      expect(String(error)).not.toContain(SECRET);
    }
  });

  it("in generateBootstrap is INTERNAL too, and thrown", () => {
    const provider = subject({
      generateBootstrap: () => {
        throw new Error(SECRET);
      },
    });
    let error: unknown;
    try {
      provider.generateBootstrap({ script: "" });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "INTERNAL", effect: "none", operation: "generateBootstrap" });
    expect(String(error)).not.toContain(SECRET);
  });
});

it("a ProviderError passes as it is", async () => {
  const own = new ProviderError("BUSY", { message: "m", provider: "other", operation: "x", effect: "applied" });
  expect(await rejection(subject({ terminate: () => Promise.reject(own) }).terminate("i"))).toBe(own);
});

describe("timeoutMs", () => {
  it("becomes the signal, on the injected clock", async () => {
    const { clock, move } = handClock();
    const provider = subject({ get: (_id, call) => untilAborted(call) }, { runtime: { clock } });
    const failure = rejection(provider.get("i", { timeoutMs: 250 }));
    move(250);
    expect(await failure).toMatchObject({ code: "TIMEOUT", effect: "none", operation: "get", retryable: true });
  });

  it("of a write that was sent leaves the effect unknown", async () => {
    const { clock, move } = handClock();
    const provider = subject({ spawn: (options) => untilAborted(options) }, { runtime: { clock } });
    const failure = rejection(provider.spawn({ timeoutMs: 250 }));
    move(250);
    expect(await failure).toMatchObject({ code: "TIMEOUT", effect: "unknown", operation: "spawn" });
  });

  it("stops counting when the call is done", async () => {
    const { clock, sleepers, ended } = handClock();
    const provider = subject({}, { runtime: { clock } });
    await provider.get("i", { timeoutMs: 250 });
    await provider.list({}, { timeoutMs: 250 });
    expect(sleepers).toHaveLength(2);
    expect(ended()).toBe(2);
  });

  it("asks for no timer where there is no limit, and hands the caller's own signal on", async () => {
    const { clock, sleepers } = handClock();
    const { signal } = new AbortController();
    const get = vi.fn(async (_id: string, _call?: CallOptions) => INSTANCE);
    await subject({ get }, { runtime: { clock } }).get("i", { signal });
    expect(get).toHaveBeenCalledWith("i", { signal });
    expect(get.mock.lastCall?.[1]?.signal).toBe(signal);
    expect(sleepers).toEqual([]);
  });

  it("does not change the caller's object", async () => {
    const call: CallOptions = { timeoutMs: 250 };
    await subject({}, { runtime: { clock: handClock().clock } }).get("i", call);
    expect(call).toEqual({ timeoutMs: 250 });
  });
});

describe("a signal", () => {
  it("that is aborted already sends nothing", async () => {
    const spawn = vi.fn(async () => INSTANCE);
    const error = await rejection(subject({ spawn }).spawn({ signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: "CANCELLED", effect: "none", operation: "spawn" });
    expect(spawn).not.toHaveBeenCalled();
    expect(await rejection(subject().get("i", { signal: AbortSignal.abort() }))).toMatchObject({ code: "CANCELLED" });
  });

  it("that aborts in between is CANCELLED, its reason in the cause alone", async () => {
    const caller = new AbortController();
    const provider = subject({ terminate: (_id, call) => untilAborted(call) });
    const failure = rejection(provider.terminate("i", { signal: caller.signal, timeoutMs: 60_000 }));
    caller.abort(new Error(SECRET));
    const error = await failure;
    expect(error).toMatchObject({ code: "CANCELLED", effect: "unknown", operation: "terminate" });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(SECRET);
  });

  it("does not hide a failure of another kind", async () => {
    const caller = new AbortController();
    const provider = subject({
      get: async () => {
        caller.abort();
        throw new RangeError("a fault of its own");
      },
    });
    expect(await rejection(provider.get("i", { signal: caller.signal }))).toMatchObject({ code: "INTERNAL" });
  });
});

describe("events", () => {
  function listening(over: Partial<ProviderDefinition<Provider>> = {}) {
    const events: RuntimeEvent[] = [];
    const { clock, move } = handClock();
    const provider = subject(over, { runtime: { clock, onEvent: (event) => void events.push(event) } });
    return { provider, events, move };
  }

  it("a call starts and ends", async () => {
    const { provider, events, move } = listening({
      get: async () => {
        move(40);
        return INSTANCE;
      },
    });
    await provider.get("i-1");
    const callId = events[0]?.type === "call.start" ? events[0].callId : Number.NaN;
    const base = { provider: "subject", operation: "get", callId };
    expect(events).toEqual([
      { ...base, type: "call.start", at: "2026-01-31T12:00:00.000Z", id: "i-1" },
      { ...base, type: "call.end", at: "2026-01-31T12:00:00.040Z", durationMs: 40, outcome: "ok" },
    ]);
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });

  it("a failed call ends with its code and effect", async () => {
    const { provider, events } = listening({ spawn: () => Promise.reject(new Error(SECRET)) });
    await rejection(provider.spawn({ key: "k", bootstrap: { script: SECRET, registrationToken: SECRET } }));
    await rejection(provider.spawn({ key: "" }));
    expect(events).toMatchObject([
      { type: "call.start", operation: "spawn", key: "k" },
      { type: "call.end", outcome: "error", code: "INTERNAL", effect: "unknown" },
      { type: "call.start", operation: "spawn" },
      { type: "call.end", outcome: "error", code: "INVALID_SPEC", effect: "none" },
    ]);
    expect(JSON.stringify(events)).not.toContain(SECRET);
  });

  it("a spawn without a key tells the one that it got", async () => {
    const spawn = vi.fn(async (_options: { readonly key?: string | undefined }) => INSTANCE);
    const { provider, events } = listening({ spawn });
    await provider.spawn({});
    expect(events[0]).toMatchObject({ type: "call.start", key: spawn.mock.lastCall?.[0].key });
  });

  it("two calls at once are told apart", async () => {
    const { provider, events } = listening();
    await Promise.all([provider.get("a"), provider.get("b")]);
    const ids = (type: string): unknown[] =>
      events.filter((event) => event.type === type).map((event) => ("callId" in event ? event.callId : undefined));
    expect(new Set(ids("call.start")).size).toBe(2);
    expect(ids("call.end").sort()).toEqual(ids("call.start").sort());
  });

  it("a listener that throws, or rejects, does no harm", async () => {
    const onEvent = vi.fn((): void => {
      throw new Error("listener");
    });
    expect(await subject({}, { runtime: { onEvent } }).get("i")).toEqual(INSTANCE);
    expect(onEvent).toHaveBeenCalledTimes(2);

    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    let heard = 0;
    // Not a mock: a mock would handle the rejection itself.
    const late = async (): Promise<void> => {
      heard++;
      throw new Error("listener");
    };
    expect(await subject({}, { runtime: { onEvent: late } }).get("i")).toEqual(INSTANCE);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(heard).toBe(2);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
