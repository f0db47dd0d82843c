import { type Instance, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { type Destroyed, type Driver, providerFromDriver } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

const LAG_MS = 5_000;
const lost = new ProviderError("UNAVAILABLE", {
  provider: "t",
  operation: "terminate",
  effect: "unknown",
  message: "the answer says nothing",
});

interface Script {
  readonly destroyed: Destroyed;
  /** Does the end happen, whatever is answered? */
  readonly ends: boolean;
  /** From the first end asked for, reads miss the instance for so long: they come from where its creation is not known yet. */
  readonly missedMs?: number;
  /** Does a read show that another process has ended it, though listings do not yet? */
  readonly isEnding?: boolean;
  /** No read shows it for so long from the beginning. */
  readonly hiddenMs?: number;
}

/** One instance of another process, and a process that ends it. */
function world({ destroyed, ends, missedMs = 0, isEnding = false, hiddenMs = 0 }: Script) {
  const clock = simulatedClock();
  let isThere = true;
  let shownFrom = clock.now() + hiddenMs;
  let asked = 0;
  const driver: Driver<string, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: () => true,
    identify: (machine) => ({
      id: machine.slice(0, 1),
      status: machine === "i, ending" ? "terminating" : "running",
      ownership: { owner: "o", key: "i", specHash: "h", labels: {} },
    }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      yield isThere ? ["i"] : [];
    },
    get: async (_, id) => (isThere && clock.now() >= shownFrom ? `${id}${isEnding ? ", ending" : ""}` : null),
    prepare: () => undefined,
    create: async () => ({ machine: "j" }),
    destroy: async () => {
      asked += 1;
      if (ends) isThere = false;
      if (asked === 1) shownFrom = Math.max(shownFrom, clock.now() + missedMs);
      return destroyed;
    },
  };
  const { provider } = providerFromDriver<Provider, string, unknown>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: {},
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: LAG_MS, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    methods: () => ({}),
    runtime: { clock },
  });
  return { provider, clock, asked: () => asked };
}

test("an end with an unclear answer is not done because one read misses the instance: reads may lag", async () => {
  const { provider, asked } = world({ destroyed: { unclear: lost }, ends: false, missedMs: LAG_MS - 1 });
  await expect(provider.terminate("i")).rejects.toBe(lost);
  expect(await provider.get("i")).toMatchObject({ status: "running" });
  await expect(provider.terminate("i")).rejects.toBe(lost);
  expect(asked()).toBe(2);
});

test("what neither a read nor a write knows yet is done, and not taken for ended", async () => {
  const { provider, asked } = world({ destroyed: "gone", ends: false, hiddenMs: LAG_MS });
  await provider.terminate("i");
  await provider.terminate("i");
  expect(asked()).toBe(2);
});

test("it is done where nothing shows the instance for as long as reads may lag", async () => {
  const { provider, clock } = world({ destroyed: { unclear: lost }, ends: true });
  const begun = clock.now();
  await provider.terminate("i");
  expect(clock.now() - begun).toBe(LAG_MS);
  expect(await provider.get("i")).toBeNull();
});

test("where the remote says itself that it is gone, and a read agrees, nothing is waited for", async () => {
  const { provider, clock } = world({ destroyed: "gone", ends: true });
  const begun = clock.now();
  await provider.terminate("i");
  expect(clock.now()).toBe(begun);
});

test("what is seen to be ending already is ended for its key too, whatever listings still show", async () => {
  const { provider, asked } = world({ destroyed: "accepted", ends: true, isEnding: true });
  await provider.terminate("i");
  expect(asked()).toBe(0);
  expect((await provider.spawn({ key: "i" })).id).toBe("j");
});
