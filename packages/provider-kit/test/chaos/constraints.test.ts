import { type ChaosConstraints, chaos, chaosOf } from "@slipway/provider-kit/chaos";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { tiny } from "./tiny-provider.ts";

function within(constraints: ChaosConstraints) {
  const clock = simulatedClock();
  const subject = tiny(clock);
  return { ...subject, clock, chaotic: chaos(subject.provider, { seed: 1, plan: { constraints }, clock }) };
}

test("at most so many instances, also among those who ask at the same time", async () => {
  const { chaotic, instances } = within({ maxInstances: 3 });
  const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => chaotic.spawn({ key: `k${at}` })));
  expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  for (const each of asked) {
    if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
  }
  expect(instances.size).toBe(3);
  expect((await chaotic.spawn({ key: "k0" })).key).toBe("k0");
  await chaotic.terminate("t-1");
  expect((await chaotic.spawn({ key: "fresh" })).key).toBe("fresh");
  expect(chaosOf(chaotic).journal.entries.map(({ kind }) => kind)).toEqual(
    Array.from({ length: 5 }, () => "constraint"),
  );
});

test.each(["cpus", "memoryBytes"] as const)("a budget of %s", async (name) => {
  const { chaotic } = within({ [name]: 10 });
  await chaotic.spawn({ key: "a", resources: { [name]: 6 } });
  await expect(chaotic.spawn({ key: "b", resources: { [name]: 6 } })).rejects.toMatchObject({
    code: "CAPACITY_ERROR",
    retryable: true,
    effect: "none",
  });
  await chaotic.spawn({ key: "c", resources: { [name]: 4 } });
  await expect(chaotic.spawn({ key: "d" })).rejects.toMatchObject({ code: "CAPACITY_ERROR" });
});

test("slow boots: pending without an address, in every read, until the time is over", async () => {
  const { chaotic, clock } = within({ bootMs: 1_000 });
  const made = await chaotic.spawn({ key: "k" });
  expect(made).toMatchObject({ status: "pending", addresses: {} });
  expect(made.ssh).toBeUndefined();
  expect((await chaotic.get(made.id))?.status).toBe("pending");
  expect(await chaotic.list({ status: ["running"] })).toEqual([]);
  expect(await chaotic.list({ status: ["pending"] })).toHaveLength(1);
  expect(await chaotic.list()).toHaveLength(1);
  await clock.sleep(1_000);
  expect(await chaotic.get(made.id)).toMatchObject({ status: "running", addresses: { publicIpv4: "192.0.2.1" } });
  expect(await chaotic.list({ status: ["pending"] })).toEqual([]);
});

test("a full disk takes nothing new, and lets go of what is there", async () => {
  const { chaotic, provider } = within({ diskFull: true });
  const { id } = await provider.spawn({ key: "before" });
  await expect(chaotic.spawn({ key: "k" })).rejects.toMatchObject({ code: "CAPACITY_ERROR", effect: "none" });
  await expect(chaotic.createSnapshot(id, { key: "s" })).rejects.toMatchObject({ code: "CAPACITY_ERROR" });
  await chaotic.terminate(id);
  expect(await chaotic.list()).toEqual([]);
});

test("a look that fails lets the next one try", async () => {
  const { chaotic, provider } = within({ maxInstances: 2 });
  const broken = chaos(
    chaos(provider, {
      seed: 1,
      plan: { faults: [{ operation: "list", when: "before", code: "UNAVAILABLE", times: 1 }] },
    }),
    { seed: 1, plan: { constraints: { maxInstances: 2 } } },
  );
  await expect(broken.spawn({ key: "a" })).rejects.toMatchObject({ code: "UNAVAILABLE", effect: "none" });
  expect((await broken.spawn({ key: "a" })).key).toBe("a");
  expect(await chaotic.list()).toHaveLength(1);
});

test.each<ChaosConstraints>([{ maxInstances: -1 }, { bootMs: Number.NaN }])("%j is refused", (constraints) => {
  expect(() => within(constraints)).toThrow(TypeError);
});
