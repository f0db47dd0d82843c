import type { Pacing } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { batchedCalls } from "../../src/limits/index.ts";

/** Lets nobody go before `open()`, and notes what the budget is asked for. */
function gate() {
  const asked: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const pacing: Pacing = {
    acquire: async ({ operation }, { signal } = {}) => {
      asked.push(operation);
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason instanceof Error ? signal.reason : new Error()));
      });
      await Promise.race([promise, aborted]);
    },
    defer: () => undefined,
  };
  return { asked, pacing, open: resolve };
}

function world({ most, missing }: { readonly most?: number; readonly missing?: string } = {}) {
  const { asked, pacing, open } = gate();
  const calls = batchedCalls(pacing, { provider: "example", account: "a" });
  const sent: string[] = [];
  const signals: AbortSignal[] = [];
  const get = calls.batched<string>({
    bucket: "get",
    alone: async ({ signal }, id) => {
      if (signal !== undefined) signals.push(signal);
      sent.push(id);
      return `one ${id}`;
    },
    together: async (_, ids) => {
      sent.push(ids.join("+"));
      return new Map(ids.filter((id) => id !== missing).map((id) => [id, `all ${id}`]));
    },
    effect: "unknown",
    most,
  });
  const ask = (id: string, signal?: AbortSignal) => get({ operation: "get", signal }, id);
  return { ask, asked, open, sent, signals, pacing: calls.pacing };
}

test("a lone call is a call about one", async () => {
  const { ask, asked, open, sent } = world();
  open();
  expect(await ask("i-1")).toBe("one i-1");
  expect([asked, sent]).toEqual([["get"], ["i-1"]]);
});

test("those who wait for their turn share one request, and twice the same is asked once", async () => {
  const { ask, asked, open, sent } = world();
  const answers = Promise.all([ask("i-1"), ask("i-2"), ask("i-1")]);
  open();
  expect(await answers).toEqual(["all i-1", "all i-2", "all i-1"]);
  expect([asked, sent]).toEqual([["get"], ["i-1+i-2"]]);
});

test("what is missing in the answer is asked for alone", async () => {
  const { ask, open, sent } = world({ missing: "i-2" });
  const answers = Promise.all([ask("i-1"), ask("i-2")]);
  open();
  expect(await answers).toEqual(["all i-1", "one i-2"]);
  expect(sent).toEqual(["i-1+i-2", "i-2"]);
});

test("no request has more than it takes", async () => {
  const { ask, open, sent } = world({ most: 2 });
  const answers = Promise.all(["i-1", "i-2", "i-3"].map((id) => ask(id)));
  open();
  await answers;
  expect(sent.toSorted()).toEqual(["i-1+i-2", "i-3"]);
});

test("a request whose turn has come does not wait again; a further try does", async () => {
  const { ask, asked, open, signals, pacing } = world();
  open();
  await ask("i-1");
  const [signal] = signals;
  await pacing.acquire({ account: "a", operation: "get" }, { signal });
  expect(asked).toEqual(["get"]);
  await pacing.acquire({ account: "a", operation: "get" }, { signal });
  expect(asked).toEqual(["get", "get"]);
});

describe("a caller that aborts", () => {
  test("leaves the others alone", async () => {
    const { ask, open, sent } = world();
    const controller = new AbortController();
    const aborted = ask("i-1", controller.signal);
    const other = ask("i-2");
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "CANCELLED", effect: "none", provider: "example" });
    open();
    expect(await other).toBe("one i-2");
    expect(sent).toEqual(["i-2"]);
  });

  test("as the only one sends nothing", async () => {
    const { ask, open, sent } = world();
    const controller = new AbortController();
    const aborted = ask("i-1", controller.signal);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "CANCELLED", effect: "none" });
    open();
    expect(await ask("i-2")).toBe("one i-2");
    expect(sent).toEqual(["i-2"]);
  });
});
