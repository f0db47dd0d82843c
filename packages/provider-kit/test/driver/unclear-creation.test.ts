import { type Instance, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { type Driver, providerFromDriver } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

const LAG_MS = 60_000;

/** A remote that loses the answer to the first creation, and lists what it made so long after it; never, if it made nothing. */
function world(shownAfterMs: number) {
  const clock = simulatedClock();
  const made: { readonly id: string; readonly shownFrom: number }[] = [];
  let listings = 0;
  const driver: Driver<string, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: () => true,
    identify: (id) => ({ id, status: "running", ownership: { owner: "o", key: "k", specHash: undefined, labels: {} } }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      listings += 1;
      yield made.filter(({ shownFrom }) => shownFrom <= clock.now()).map(({ id }) => id);
    },
    get: async () => null,
    prepare: () => undefined,
    create: async () => {
      const id = String(made.length);
      made.push({ id, shownFrom: clock.now() + (made.length === 0 ? shownAfterMs : 0) });
      if (id !== "0") return { machine: id };
      throw new ProviderError("NETWORK", { provider: "t", operation: "spawn", effect: "unknown", message: "lost" });
    },
    destroy: async () => "gone",
  };
  const { provider } = providerFromDriver<Provider, string, unknown>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: {},
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: LAG_MS, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    runtime: { clock },
  });
  return { clock, provider, listings: () => listings };
}

test("what was made without an answer is found soon after the remote shows it", async () => {
  const { clock, provider } = world(3_000);
  await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ effect: "unknown" });
  const begun = clock.now();
  expect((await provider.spawn({ key: "k" })).id).toBe("0");
  expect(clock.now() - begun).toBeLessThan(10_000);
});

test("what the remote never shows is made again, but not before it would show it, and with few looks", async () => {
  const { clock, provider, listings } = world(Number.POSITIVE_INFINITY);
  await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ effect: "unknown" });
  const begun = clock.now();
  expect((await provider.spawn({ key: "k" })).id).toBe("1");
  expect(clock.now() - begun).toBeGreaterThanOrEqual(LAG_MS);
  expect(listings()).toBeLessThan(10);
});
