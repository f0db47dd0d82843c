import { isProviderError } from "@slipway/core";
import { type ChaosPlan, chaos, chaosOf, printJournal, replay } from "@slipway/provider-kit/chaos";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { tiny } from "./tiny-provider.ts";

const PLAN: ChaosPlan = {
  staleReadMs: 500,
  faults: [
    { operation: "spawn", when: "reply-lost", probability: 0.3 },
    { operation: "list", when: "stale-read", probability: 0.3 },
    { operation: "*", when: "before", code: "UNAVAILABLE", probability: 0.2 },
    { operation: "terminate", when: "after", code: "TIMEOUT", probability: 0.5, times: 2 },
    { operation: "get", when: "delayed", delayMs: 40, probability: 0.3 },
  ],
  constraints: { maxInstances: 4 },
  drift: [
    { operation: "*", action: "stop", probability: 0.1 },
    { operation: "list", action: "remove", probability: 0.2 },
    { operation: "spawn", action: "changeAddress", probability: 0.2 },
    { operation: "get", action: "addUnmanaged", probability: 0.1 },
    { operation: "get", action: "rename", probability: 0.2 },
  ],
};

/** The same calls, whatever becomes of them; answers what a caller saw, as text. */
async function run(plan: ChaosPlan, seed: number) {
  const clock = simulatedClock();
  const world = tiny(clock);
  const provider = chaos(world.provider, { seed, plan, world, clock });
  const seen: string[] = [];
  const note = async (call: Promise<unknown>): Promise<void> => {
    try {
      seen.push(JSON.stringify(await call) ?? "done");
    } catch (error) {
      if (!isProviderError(error)) throw error;
      seen.push(`${error.operation} ${error.code} ${error.effect}`);
    }
  };
  for (let round = 0; round < 12; round += 1) {
    await note(provider.spawn({ key: `k${round % 7}` }));
    await note(provider.list());
    await note(provider.get(`t-${(round % 5) + 1}`));
    if (round % 3 === 2) await note(provider.terminate(`t-${round % 5}`));
    await clock.sleep(100);
  }
  return { seen, journal: chaosOf(provider).journal, left: [...world.instances.values()] };
}

test("the same seed is the same run, another seed is another", async () => {
  const [one, same, other] = [await run(PLAN, 5), await run(PLAN, 5), await run(PLAN, 6)];
  expect(same).toEqual(one);
  expect(other.journal.entries).not.toEqual(one.journal.entries);
  expect(new Set(one.journal.entries.map(({ kind }) => kind))).toEqual(new Set(["fault", "drift", "constraint"]));
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "a journal replays exactly, through JSON and under any seed (seed %d)",
  async (seed) => {
    const first = await run(PLAN, seed);
    const journal = JSON.parse(JSON.stringify(first.journal)) as typeof first.journal;
    const again = await run(replay(journal), 999);
    expect(again.seen).toEqual(first.seen);
    expect(again.left).toEqual(first.left);
    expect(again.journal.entries).toEqual(first.journal.entries);
  },
);

test("calls of one operation do not change the chance of another", async () => {
  const clock = simulatedClock();
  const faults = [{ operation: "*", when: "before", code: "BUSY", probability: 0.5 } as const];
  const fates = async (between: number): Promise<string[]> => {
    const provider = chaos(tiny(clock).provider, { seed: 3, plan: { faults }, clock });
    const found = [];
    for (let i = 0; i < 12; i += 1) {
      for (let j = 0; j < between; j += 1) await provider.list().catch(() => undefined);
      found.push(
        await provider.get("t-1").then(
          () => "ok",
          () => "busy",
        ),
      );
    }
    return found;
  };
  const alone = await fates(0);
  expect(await fates(3)).toEqual(alone);
  expect(new Set(alone).size).toBe(2);
});

test("the journal prints one line for each act, with whom it befell", async () => {
  const clock = simulatedClock();
  const world = tiny(clock);
  const plan: ChaosPlan = {
    faults: [{ operation: "spawn", when: "after", code: "INTERNAL", calls: [2] }],
    drift: [{ operation: "get", action: "stop", calls: [1] }],
  };
  const provider = chaos(world.provider, { seed: 9, plan, world, clock });
  const { id } = await provider.spawn({ key: "a" });
  await provider.spawn({ key: "b" }).catch(() => undefined);
  expect((await provider.get(id))?.status).toBe("stopped");
  expect(printJournal(chaosOf(provider).journal).split("\n")).toEqual([
    "seed 9, 2 acts",
    "2. spawn (2): after INTERNAL",
    "3. get (1): stop instance 1 (t-1)",
  ]);
});
