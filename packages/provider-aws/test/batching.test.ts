import { isProviderError } from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Batching, batching } from "../src/batching.ts";
import { withoutBadIds } from "../src/instance-batches.ts";

interface Sent {
  readonly ids: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly answer: (error?: unknown) => void;
}

/** Batches whose answers the test gives; an id is answered with itself in capitals. */
function desk(most = 500): { readonly ask: Batching<string>["ask"]; readonly sent: Sent[]; readonly sizes: number[] } {
  const sent: Sent[] = [];
  const sizes: number[] = [];
  const clock = simulatedClock({ auto: false });
  const { ask } = batching<string>({
    most,
    writes: true,
    clock,
    onEvent: (event) => {
      if (event.type === "batch.sent") sizes.push(event.size);
    },
    send: ({ signal }, _group, ids) =>
      new Promise((resolve, reject) => {
        const answer = (error?: unknown): void => {
          if (error === undefined) resolve(new Map(ids.map((id) => [id, { value: id.toUpperCase() }])));
          else reject(error);
        };
        sent.push({ ids, signal, answer });
      }),
  });
  return { ask, sent, sizes };
}

const call = { operation: "get" };

test("who comes alone is sent at once; who comes meanwhile goes together, once each", async () => {
  const { ask, sent, sizes } = desk();
  const answers = ["a", "b", "c", "b"].map((id) => ask(call, "g", id));
  expect(sent.map(({ ids }) => ids)).toEqual([["a"]]);
  sent[0]?.answer();
  expect(await answers[0]).toBe("A");
  expect(sent[1]?.ids).toEqual(["b", "c"]);
  sent[1]?.answer();
  expect(await Promise.all(answers)).toEqual(["A", "B", "C", "B"]);
  expect(sizes).toEqual([1, 2]);
});

test("groups and operations are not mixed, and a full batch does not wait", async () => {
  const { ask, sent } = desk(2);
  for (const id of ["a", "b", "c"]) void ask(call, "g", id);
  void ask(call, "other", "d");
  void ask({ operation: "hibernate" }, "g", "e");
  expect(sent.map(({ ids }) => ids)).toEqual([["a"], ["b", "c"], ["d"], ["e"]]);
});

describe("traffic", () => {
  /** Answers that come at once, on a clock that the test moves. */
  const flow = () => {
    const clock = simulatedClock({ auto: false });
    const sizes: number[] = [];
    const { ask } = batching<string>({
      most: 500,
      writes: false,
      clock,
      onEvent: (event) => {
        if (event.type === "batch.sent") sizes.push(event.size);
      },
      send: async (_call, _group, ids) => new Map(ids.map((id) => [id, { value: id }])),
    });
    return { ask, clock, sizes };
  };
  /** One question every so often. */
  const arriving = async ({ ask, clock }: ReturnType<typeof flow>, count: number, everyMs: number) => {
    for (let at = 0; at < count; at += 1) {
      void ask(call, "g", `i${at}`);
      await clock.advance(everyMs);
    }
  };

  test("waits until nobody has come for 100 ms", async () => {
    const all = flow();
    await arriving(all, 10, 50);
    // Four came alone; the fifth made it traffic.
    expect(all.sizes).toEqual([1, 1, 1, 1]);
    await all.clock.advance(100);
    expect(all.sizes).toEqual([1, 1, 1, 1, 6]);
  });

  test("waits no longer than a second", async () => {
    const all = flow();
    await arriving(all, 50, 50);
    expect(all.sizes.slice(0, 6)).toEqual([1, 1, 1, 1, 20, 20]);
  });

  test("is none where one id is asked for again and again, or one after the other", async () => {
    const { ask, clock, sizes } = flow();
    for (let look = 0; look < 10; look += 1) {
      await ask(call, "g", "i");
      await clock.advance(50);
    }
    for (let at = 0; at < 10; at += 1) await ask(call, "g", `i${at}`);
    expect(sizes).toEqual(Array(20).fill(1));
  });

  test("that is expected makes also the first one wait", async () => {
    const clock = simulatedClock({ auto: false });
    const sizes: number[] = [];
    let others = true;
    const { ask } = batching<string>({
      most: 500,
      writes: true,
      clock,
      expectsMore: () => others,
      onEvent: (event) => {
        if (event.type === "batch.sent") sizes.push(event.size);
      },
      send: async (_call, _group, ids) => new Map(ids.map((id) => [id, { value: id }])),
    });
    void ask(call, "g", "a");
    others = false;
    void ask(call, "g", "b");
    await clock.advance(100);
    expect(sizes).toEqual([2]);
  });
});

test("a failure is everybody's, and the next batch is not touched by it", async () => {
  const { ask, sent } = desk();
  const [first, second] = [ask(call, "g", "a"), ask(call, "g", "b")];
  sent[0]?.answer(new Error("down"));
  await expect(first).rejects.toThrow("down");
  sent[1]?.answer();
  expect(await second).toBe("B");
});

test("who aborts leaves the others alone; a batch that nobody waits for is aborted", async () => {
  const { ask, sent } = desk();
  const controllers = ["a", "b", "b", "c"].map(() => new AbortController());
  const ids = ["a", "b", "b", "c"];
  const answers = ids.map((id, at) => ask({ ...call, signal: controllers[at]?.signal }, "g", id));
  const outcomes = Promise.allSettled(answers);
  controllers[3]?.abort();
  sent[0]?.answer();
  await answers[0];
  expect(sent[1]?.ids).toEqual(["b"]);
  controllers[1]?.abort();
  expect(sent[1]?.signal?.aborted).toBe(false);
  controllers[2]?.abort();
  expect(sent[1]?.signal?.aborted).toBe(true);
  const effects = (await outcomes).map((one) =>
    one.status === "rejected" && isProviderError(one.reason) ? `${one.reason.code} ${one.reason.effect}` : "ok",
  );
  expect(effects).toEqual(["ok", "CANCELLED unknown", "CANCELLED unknown", "CANCELLED none"]);
});

test("whoever waits is answered, whatever comes, leaves and fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ id: fc.constantFrom(..."abcdefgh"), leaves: fc.boolean() }), { maxLength: 40 }),
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      async (callers, failing) => {
        const { ask, sent } = desk(3);
        const outcomes = Promise.allSettled(
          callers.map(({ id, leaves }) => {
            const controller = new AbortController();
            const answer = ask({ ...call, signal: controller.signal }, "g", id);
            if (leaves) controller.abort();
            return answer;
          }),
        );
        for (let at = 0; at < sent.length; at += 1) {
          sent[at]?.answer(failing[at] === true ? new Error("down") : undefined);
          for (let tick = 0; tick < 10; tick += 1) await Promise.resolve();
        }
        const all = await outcomes;
        expect(all).toHaveLength(callers.length);
        for (const [at, one] of all.entries()) {
          if (one.status === "fulfilled") expect(one.value).toBe(callers[at]?.id.toUpperCase());
        }
      },
    ),
    { numRuns: 200, seed: 20_261_121 },
  );
});

/** A remote that refuses a request with a bad id in it, and names so many of those. */
function refusing(bad: ReadonlySet<string>, names: number) {
  const asked: string[][] = [];
  const settled = new Map<string, "good" | "bad">();
  const run = (ids: readonly string[]): Promise<void> =>
    withoutBadIds(ids, {
      ask: async (some) => {
        asked.push([...some]);
        const wrong = some.filter((id) => bad.has(id));
        if (wrong.length > 0) throw new Error(`no ${wrong.slice(0, names).join(" ")}`);
        for (const id of some) settled.set(id, "good");
      },
      badIn: (error) => (error instanceof Error ? error.message.slice(3).split(" ") : null),
      onBad: (id) => settled.set(id, "bad"),
    });
  return { run, asked, settled };
}

test("bad ids settle alone: two requests where the refusal names them all", async () => {
  const ids = Array.from({ length: 500 }, (_, at) => `i${at}`);
  const bad = new Set(["i7", "i300", "i301"]);
  const { run, asked, settled } = refusing(bad, 10);
  await run(ids);
  expect(asked).toHaveLength(2);
  expect(ids.filter((id) => settled.get(id) === "bad")).toEqual([...bad]);
  expect(settled.size).toBe(500);
});

test("no burst of single requests where it names none", async () => {
  const ids = Array.from({ length: 500 }, (_, at) => `i${at}`);
  const { run, asked, settled } = refusing(new Set(["i123"]), 0);
  await run(ids);
  expect(settled.get("i123")).toBe("bad");
  expect([...settled.values()].filter((one) => one === "good")).toHaveLength(499);
  expect(asked.length).toBeLessThanOrEqual(20);
});

test("every id is settled once, whatever is bad and however much is told", async () => {
  const ids = Array.from({ length: 20 }, (_, at) => `i${at}`);
  await fc.assert(
    fc.asyncProperty(fc.subarray(ids), fc.integer({ min: 0, max: 20 }), async (bad, names) => {
      const { run, settled } = refusing(new Set(bad), names);
      await run(ids);
      expect(
        [...settled]
          .filter(([, one]) => one === "bad")
          .map(([id]) => id)
          .sort(),
      ).toEqual([...bad].sort());
      expect(settled.size).toBe(ids.length);
    }),
    { numRuns: 200, seed: 20_261_121 },
  );
});

test("what is not about ids fails all", async () => {
  const work = { ask: () => Promise.reject(new Error("down")), badIn: () => null, onBad: () => undefined };
  await expect(withoutBadIds(["a", "b"], work)).rejects.toThrow("down");
});
