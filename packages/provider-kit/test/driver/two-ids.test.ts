import { type Instance, isProviderError, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import {
  type CreateAttempt,
  type Created,
  type Driver,
  type LifeCycle,
  providerFromDriver,
} from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

type Options = Parameters<Provider["spawn"]>[0];

interface Thing {
  readonly native: string;
  readonly key: string;
  readonly specHash: string;
}

const nativeIdOf = (id: string): string => id.slice(id.indexOf("/") + 1);

/** A remote that shows nothing of what was made or ended just now, and whose machines have an id with and without a region. */
function world(create?: (remote: Thing[], made: Thing, attempt: CreateAttempt<Thing>) => Promise<Created<Thing>>) {
  const [shown, remote]: [Thing[], Thing[]] = [[], []];
  let reads = 0;
  const parts: { lifeCycle?: LifeCycle<Thing, Instance, Options, undefined> } = {};
  const driver: Driver<Thing, Instance, Options, undefined> = {
    isId: () => true,
    nativeIdOf,
    identify: ({ native, key, specHash }) => ({
      id: `here/${native}`,
      nativeId: native,
      status: "running",
      ownership: { owner: "o", key, specHash, labels: {} },
    }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      yield shown;
    },
    get: async (_, id) => {
      reads += 1;
      return shown.find(({ native }) => native === nativeIdOf(id)) ?? null;
    },
    prepare: () => undefined,
    create: async (_, { key, specHash }, attempt) => {
      const made = { native: String(remote.length + 1), key, specHash };
      if (create !== undefined) return await create(remote, made, attempt);
      remote.push(made);
      return { machine: made };
    },
    destroy: async (_, id) => (remote.some(({ native }) => native === nativeIdOf(id)) ? "accepted" : "gone"),
  };
  const { provider } = providerFromDriver<Provider, Thing, undefined>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: {},
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: 5_000, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    methods: ({ lifeCycle }) => {
      parts.lifeCycle = lifeCycle;
      return {};
    },
    runtime: { clock: simulatedClock() },
  });
  return { provider, remote, shown, parts, reads: () => reads };
}

test("what this process made is known by either of its ids", async () => {
  const { provider, remote } = world();
  const { id, nativeId } = await provider.spawn({ key: "k" });
  expect(await provider.get(nativeId)).toMatchObject({ id });
  remote.length = 0;
  await expect(provider.terminate(nativeId)).rejects.toMatchObject({ code: "BUSY", effect: "none" });
});

test("what was ended by one id is ended under the other", async () => {
  const { provider, remote, shown, parts } = world();
  const { id, nativeId } = await provider.spawn({ key: "k" });
  shown.push(...remote);
  await provider.terminate(nativeId);
  expect(parts.lifeCycle?.isEnded(id)).toBe(true);
  expect((await provider.spawn({ key: "k" })).id).not.toBe(id);
});

test("a machine of ours that cannot be read yet is BUSY for a method that needs it, in the method's name", async () => {
  const { provider, parts } = world();
  const { nativeId } = await provider.spawn({ key: "k" });
  const asked = parts.lifeCycle?.managed({ operation: "pause" }, nativeId);
  await expect(asked).rejects.toMatchObject({ code: "BUSY", operation: "pause", retryAfterMs: 2_000 });
});

test("a creation that was overtaken returns what the lookup finds", async () => {
  const { provider, remote } = world(async (things, made, { find }) => {
    things.push(made);
    const found = await find();
    return found === null ? { machine: made } : { found };
  });
  const first = await provider.spawn({ key: "k" });
  expect([first.key, remote.length]).toEqual(["k", 1]);
  const {
    provider: slow,
    shown,
    remote: things,
  } = world(async (_, made, { find }) => {
    shown.push({ ...made, native: "rival" });
    const found = await find();
    return found === null ? { machine: made } : { found };
  });
  expect(await slow.spawn({ key: "k" })).toMatchObject({ nativeId: "rival" });
  expect(things).toEqual([]);
});

test("a creation that was overtaken by another spec is a conflict", async () => {
  const { provider, shown } = world(async (_, made, { find }) => {
    shown.push({ ...made, specHash: "another" });
    await find();
    throw new ProviderError("INTERNAL", { provider: "t", operation: "spawn", effect: "none", message: "not refused" });
  });
  const error: unknown = await provider.spawn({ key: "k" }).catch((thrown: unknown) => thrown);
  expect(isProviderError(error, "CONFLICT") && error.effect).toBe("none");
});
