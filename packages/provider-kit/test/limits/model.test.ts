import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/limits/index.ts";
import { type ModelBucket, type ModelCall, modelTimes } from "./model.ts";
import { simulatedClock } from "./simulated-clock.ts";

describe("against the plain model", () => {
  const names = ["0", "1", "01"] as const;
  const modelBucket = fc.record({
    capacity: fc.integer({ min: 1, max: 4 }),
    periodMs: fc.integer({ min: 1, max: 70 }),
  });
  const arbitraryCall = fc.record({
    at: fc.integer({ min: 0, max: 300 }),
    cost: fc.integer({ min: 1, max: 4 }),
    name: fc.constantFrom(...names),
    patience: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
  });
  const arbitraryHalt = fc.record({
    at: fc.integer({ min: 0, max: 300 }),
    ms: fc.integer({ min: 1, max: 150 }),
    name: fc.constantFrom(...names),
  });

  async function play(
    model: readonly [ModelBucket, ModelBucket],
    calls: readonly (ModelCall & { readonly name: string })[],
    halts: readonly { readonly at: number; readonly ms: number; readonly name: string }[],
  ): Promise<readonly (number | null)[]> {
    const clock = simulatedClock();
    const begun = clock.now();
    const pacing = limits({
      clock,
      buckets: model.map(({ capacity, periodMs }, at) => ({
        operation: `*${at}*`,
        capacity,
        refillPerSecond: 1000 / periodMs,
      })),
    });
    const times: (number | null)[] = calls.map(() => null);
    // At one moment: halts, then those who give up, then those who come.
    const steps: { readonly at: number; readonly rank: number; readonly run: () => void }[] = [];
    for (const { at, ms, name } of halts) {
      steps.push({ at, rank: 0, run: () => pacing.defer({ account: "a", operation: name }, ms) });
    }
    for (const [index, call] of calls.entries()) {
      const controller = new AbortController();
      const start = (): void => {
        pacing.acquire({ account: "a", operation: call.name }, { cost: call.cost, signal: controller.signal }).then(
          () => {
            times[index] = clock.now() - begun;
          },
          () => undefined,
        );
      };
      steps.push({ at: call.at, rank: 2, run: start });
      if (call.until !== undefined) steps.push({ at: call.until, rank: 1, run: () => controller.abort() });
    }
    for (const step of steps.toSorted((a, b) => a.at - b.at || a.rank - b.rank)) {
      await clock.advanceBefore(step.at - (clock.now() - begun));
      step.run();
    }
    await clock.advance(5000);
    return times;
  }

  it("every call goes exactly when the limits allow it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(modelBucket, modelBucket),
        fc.array(arbitraryCall, { maxLength: 14 }),
        fc.array(arbitraryHalt, { maxLength: 2 }),
        async (model, arbitrary, halts) => {
          const calls = arbitrary
            .toSorted((a, b) => a.at - b.at)
            .map((call) => {
              const draws = [...call.name].map(Number);
              const cost = Math.min(call.cost, ...draws.map((at) => model[at as 0 | 1].capacity));
              const until = call.patience === undefined ? undefined : call.at + call.patience;
              return { ...call, draws, cost, until };
            });
          const modelHalts = halts.flatMap((halt) =>
            [...halt.name].map((at) => ({ at: halt.at, until: halt.at + halt.ms, bucket: Number(at) })),
          );
          const times = await play(model, calls, halts);
          expect(times).toEqual(modelTimes(model, calls, modelHalts, 5000));
          for (const [bucket, limit] of model.entries()) {
            const drawn = calls.flatMap((call, at) =>
              call.draws.includes(bucket) && times[at] !== null ? [{ at: times[at] ?? 0, cost: call.cost }] : [],
            );
            expectWithin(drawn, limit);
          }
        },
      ),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 150) },
    );
  });
});

/** In no window does a bucket give more than it holds and gains. */
function expectWithin(drawn: readonly { at: number; cost: number }[], limit: ModelBucket): void {
  for (const from of drawn) {
    for (const to of drawn) {
      if (to.at < from.at) continue;
      const sum = drawn.filter((one) => one.at >= from.at && one.at <= to.at).reduce((all, one) => all + one.cost, 0);
      expect(sum * limit.periodMs).toBeLessThanOrEqual(limit.capacity * limit.periodMs + to.at - from.at + 1e-6);
    }
  }
}
