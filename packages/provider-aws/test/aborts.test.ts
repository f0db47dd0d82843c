import { isProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { awsWorld } from "./world.ts";

const MOST_REQUESTS = 40;
const SETTLED_MS = 3_600_000;

/** A process whose caller aborts at its nth request: before it is sent, or once it is done and not answered. */
function abortedWorld(at: number, when: "before" | "after") {
  const world = awsWorld();
  const { emulator } = world;
  const stop = new AbortController();
  let asked = 0;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked += 1;
    if (asked === at && when === "before") stop.abort();
    stop.signal.throwIfAborted();
    const answer = await emulator.fetch(input, init);
    if (asked === at) stop.abort();
    stop.signal.throwIfAborted();
    return answer;
  };
  const provider = world.another({ runtime: { ...world.options().runtime, fetch } });
  const live = () => emulator.control.instances().filter(({ live }) => live);
  return { ...world, provider, stop, live, wasReached: () => asked >= at };
}

async function outcomeOf(call: Promise<unknown>) {
  return await call.then(
    () => null,
    (error: unknown) => {
      if (isProviderError(error)) return error;
      throw error;
    },
  );
}

test.each(["before", "after"] as const)(
  "a spawn that is aborted %s each of its requests says what is there",
  async (when) => {
    let at = 1;
    for (; at < MOST_REQUESTS; at += 1) {
      const { provider, another, emulator, stop, live, wasReached } = abortedWorld(at, when);
      const error = await outcomeOf(provider.spawn({ spec: "t3.micro", key: "k", signal: stop.signal }));
      await emulator.clock.sleep(SETTLED_MS);
      if (!wasReached()) break;
      if (error?.effect === "none") expect(live(), `at request ${at}`).toEqual([]);
      if (error === null || error.effect === "applied") expect(live(), `at request ${at}`).toHaveLength(1);
      const { nativeId } = await another().spawn({ spec: "t3.micro", key: "k" });
      expect(
        live().map((one) => one.id),
        `at request ${at}`,
      ).toEqual([nativeId]);
    }
    expect(at).toBeGreaterThan(2);
    expect(at).toBeLessThan(MOST_REQUESTS);
  },
);

test.each(["before", "after"] as const)(
  "a terminate that is aborted %s each of its requests says what is there",
  async (when) => {
    let at = 1;
    for (; at < MOST_REQUESTS; at += 1) {
      const { provider, another, emulator, stop, live, wasReached } = abortedWorld(at, when);
      const { id } = await another().spawn({ spec: "t3.micro", key: "k" });
      await emulator.clock.sleep(60_000);
      const error = await outcomeOf(provider.terminate(id, { signal: stop.signal }));
      await emulator.clock.sleep(SETTLED_MS);
      if (!wasReached()) break;
      if (error?.effect === "none") expect(live(), `at request ${at}`).toHaveLength(1);
      if (error === null || error.effect === "applied") expect(live(), `at request ${at}`).toEqual([]);
      await another().terminate(id);
      await emulator.clock.sleep(SETTLED_MS);
      expect(live(), `at request ${at}`).toEqual([]);
    }
    expect(at).toBeGreaterThan(2);
    expect(at).toBeLessThan(MOST_REQUESTS);
  },
);
