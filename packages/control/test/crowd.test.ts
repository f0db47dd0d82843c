import { layer, type Provider, ProviderError } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import { compose, memoryStore, terminateAndConfirm, waitForBootstrap, waitForStatus } from "../src/index.ts";
import { living, newWorld, type PlainProvider, plainProvider, setStatus, type World } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

const CROWD = 1000;

let clock: SimulatedClock;
let world: World;
let provider: PlainProvider;
let ids: readonly string[];

beforeEach(async () => {
  clock = simulatedClock();
  world = newWorld(clock);
  provider = plainProvider(world);
  const keys = Array.from({ length: CROWD }, (_value, index) => `k-${index}`);
  ids = (await Promise.all(keys.map((key) => provider.spawn({ key })))).map(({ id }) => id);
  for (const id of ids) setStatus(world, id, "pending");
  world.calls.length = 0;
});

const count = (name: string): number => world.calls.filter((call) => call === name).length;
const failure = (code: "UNAVAILABLE" | "AUTH_ERROR", scope?: "region") =>
  new ProviderError(code, { message: "no", provider: "scripted", operation: "list", effect: "none", scope });

/** Begins one piece of work every 2 ms. */
function spreadOver<T>(work: (id: string) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(
    ids.map(async (id, index) => {
      await clock.sleep(index * 2);
      return await work(id);
    }),
  );
}

async function afterMs(ms: number, then: () => void): Promise<void> {
  // In short sleeps: a long one is a time limit, which moves no time.
  for (let left = ms; left > 0; left -= 30_000) await clock.sleep(Math.min(left, 30_000));
  then();
}

describe("many waits of one provider", () => {
  test("cost one listing a tick, and each instance is read twice with get", async () => {
    const ready = afterMs(180_000, () => {
      for (const id of ids) setStatus(world, id, "running");
    });
    const waited = await spreadOver((id) => waitForStatus(provider, id, "running", { clock }));
    await ready;
    expect(waited.map(({ id }) => id)).toEqual(ids);
    expect(count("list")).toBeLessThanOrEqual(120);
    // One finds it before reads show it, one decides that it runs.
    expect(count("get")).toBeLessThanOrEqual(2 * CROWD + 10);
  });

  test("keep to a slow remote: one listing is under way at a time", async () => {
    let under = 0;
    let most = 0;
    const slow = layer(async (call, next) => {
      if (call.operation !== "list") return next();
      under += 1;
      most = Math.max(most, under);
      await clock.sleep(3_000);
      under -= 1;
      return next();
    });
    const ready = afterMs(20_000, () => {
      for (const id of ids) setStatus(world, id, "running");
    });
    const slowly = compose<Provider>(provider, slow);
    await spreadOver((id) => waitForStatus(slowly, id, "running", { clock }));
    await ready;
    expect(most).toBe(1);
    expect(count("list")).toBeLessThanOrEqual(12);
  });

  test("a listing that says running is not the last word, and one that shows nothing proves nothing", async () => {
    const partial = layer((call, next) => (call.operation === "list" ? Promise.resolve([]) : next()));
    const few = ids.slice(0, 3);
    clock.advance(world.lagMs);
    for (const id of few) setStatus(world, id, "running");
    const wrapped = compose<Provider>(provider, partial);
    const found = await Promise.all(few.map((id) => waitForStatus(wrapped, id, "running", { clock })));
    expect(found.map(({ status }) => status)).toEqual(["running", "running", "running"]);

    const early = layer(async (call, next) => {
      const seen = await next();
      return call.operation === "list"
        ? (seen as { status: string }[]).map((one) => ({ ...one, status: "stopped" }))
        : seen;
    });
    const lying = compose<Provider>(provider, early);
    const stopped = Promise.all(few.map((id) => waitForStatus(lying, id, "stopped", { clock })));
    await afterMs(10_000, () => {
      for (const id of few) setStatus(world, id, "stopped");
    });
    for (const one of await stopped) expect(one.status).toBe("stopped");
    expect(clock.elapsed()).toBeGreaterThanOrEqual(10_000);
  });

  test("a region that is down hides no instance of another one", async () => {
    const down = layer((call, next) =>
      call.operation === "list" ? Promise.reject(failure("UNAVAILABLE", "region")) : next(),
    );
    clock.advance(world.lagMs);
    const wrapped = compose<Provider>(provider, down);
    for (const id of ids) setStatus(world, id, "running");
    const few = ids.slice(0, 3);
    const found = await Promise.all(
      few.map((id) => waitForStatus(wrapped, id, "running", { clock, timeoutMs: 30_000 })),
    );
    expect(found).toHaveLength(3);
  });

  test("a listing that nobody may call leaves the answer to get", async () => {
    const denied = layer((call, next) => (call.operation === "list" ? Promise.reject(failure("AUTH_ERROR")) : next()));
    clock.advance(world.lagMs);
    const wrapped = compose<Provider>(provider, denied);
    for (const id of ids) setStatus(world, id, "running");
    const found = await Promise.all(ids.slice(0, 3).map((id) => waitForStatus(wrapped, id, "running", { clock })));
    expect(found).toHaveLength(3);
  });

  test("one that is aborted leaves the others alone", async () => {
    const controller = new AbortController();
    const [first = "", ...others] = ids.slice(0, 3);
    const aborted = waitForStatus(provider, first, "running", { clock, signal: controller.signal }).catch(
      (error: ProviderError) => error.code,
    );
    const waited = Promise.all(others.map((id) => waitForStatus(provider, id, "running", { clock })));
    await clock.sleep(3_000);
    controller.abort();
    expect(await aborted).toBe("CANCELLED");
    for (const id of ids) setStatus(world, id, "running");
    expect(await waited).toHaveLength(2);
  });

  test("an id that is unknown is NOT_FOUND beside others", async () => {
    const code = (error: ProviderError) => error.code;
    const wrong = waitForStatus(provider, "m-none", "running", { clock }).catch(code);
    const waited = Promise.all(ids.slice(0, 3).map((id) => waitForStatus(provider, id, "running", { clock })));
    expect(await wrong).toBe("NOT_FOUND");
    for (const id of ids) setStatus(world, id, "running");
    expect(await waited).toHaveLength(3);
  });

  test("bootstraps that have not begun cost one listing a tick too", async () => {
    const ready = afterMs(120_000, () => {
      for (const id of ids) setStatus(world, id, "running", { bootstrap: { state: "succeeded", exitCode: 0 } });
    });
    const from = { name: "the session", readBootstrap: async () => null };
    await spreadOver((id) => waitForBootstrap(provider, id, { clock, from }));
    await ready;
    expect(count("list")).toBeLessThanOrEqual(90);
    expect(count("get")).toBeLessThanOrEqual(2 * CROWD + 10);
  });
});

describe("many ends", () => {
  test("1,000 confirmed ends cost at most 400 reads", async () => {
    clock.advance(world.lagMs);
    await spreadOver((id) => terminateAndConfirm(provider, id, { clock }));
    expect(living(world)).toEqual([]);
    expect(count("terminate")).toBe(CROWD);
    expect(count("get") + count("list")).toBeLessThanOrEqual(400);
  });

  test("also where the records of their launches are forgotten", async () => {
    clock.advance(world.lagMs);
    const store = memoryStore();
    await Promise.all(ids.map((id) => terminateAndConfirm(provider, id, { clock, store })));
    expect(count("get") + count("list")).toBeLessThanOrEqual(400);
  });

  test("what a listing no longer shows is gone only when get says so a whole lag later", async () => {
    clock.advance(world.lagMs);
    const blind = layer((call, next) => {
      if (call.operation === "terminate") return Promise.resolve();
      return call.operation === "list" ? Promise.resolve([]) : next();
    });
    const wrapped = compose<Provider>(provider, blind);
    const codes = await Promise.all(
      ids
        .slice(0, 3)
        .map((id) =>
          terminateAndConfirm(wrapped, id, { clock, timeoutMs: 30_000 }).catch((error: ProviderError) => error.code),
        ),
    );
    expect(codes).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
  });

  test("where reads never lag, what a listing does not show is asked for before its end is confirmed", async () => {
    const prompt = newWorld(clock, 0);
    const theirs = plainProvider(prompt, "theirs");
    const few = await Promise.all(["a", "b", "c"].map(async (key) => (await theirs.spawn({ key })).id));
    // Another owner's are in no listing of this provider; their end takes a minute.
    const terminate = async (id: string) => setStatus(prompt, id, "terminating");
    const slow: Provider = { ...plainProvider(prompt), terminate };
    const ended = afterMs(60_000, () => {
      for (const id of few) setStatus(prompt, id, "terminated");
    });
    await Promise.all(few.map((id) => terminateAndConfirm(slow, id, { clock })));
    expect(living(prompt)).toEqual([]);
    await ended;
  });

  test("one that only get does not show is confirmed no more than alone", async () => {
    clock.advance(world.lagMs);
    const blind = layer((call, next) => {
      if (call.operation === "terminate") return Promise.resolve();
      return call.operation === "get" ? Promise.resolve(null) : next();
    });
    const wrapped = compose<Provider>(provider, blind);
    const codes = await Promise.all(
      ids
        .slice(0, 3)
        .map((id) =>
          terminateAndConfirm(wrapped, id, { clock, timeoutMs: 30_000 }).catch((error: ProviderError) => error.code),
        ),
    );
    expect(codes).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
  });

  test("a remote that forgets what has ended is asked once more for each", async () => {
    clock.advance(world.lagMs);
    const forgetting = layer((call, next) => {
      if (call.operation === "terminate") world.machines.clear();
      return next();
    });
    const few = ids.slice(0, 30);
    const wrapped = compose<Provider>(provider, forgetting);
    await Promise.all(few.map((id) => terminateAndConfirm(wrapped, id, { clock })));
    expect(count("get")).toBeLessThanOrEqual(2 * few.length + 10);
  });
});
