import { isProviderError } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { keyedMutex } from "../../src/limits/index.ts";

const call = { operation: "spawn" };

describe("keyedMutex", () => {
  it("runs what has one name one after the other, and other names beside", async () => {
    const mutex = keyedMutex("acme");
    const seen: string[] = [];
    const first = Promise.withResolvers<void>();
    const works = [
      mutex("a", call, async () => {
        seen.push("a1 begins");
        await first.promise;
        seen.push("a1 ends");
      }),
      mutex("a", call, async () => void seen.push("a2")),
      mutex("b", call, async () => void seen.push("b1")),
    ];
    await works[2];
    expect(seen).toEqual(["a1 begins", "b1"]);
    first.resolve();
    await Promise.all(works);
    expect(seen).toEqual(["a1 begins", "b1", "a1 ends", "a2"]);
  });

  it("goes on after a failure, which only its own caller sees", async () => {
    const mutex = keyedMutex("acme");
    const failed = mutex("a", call, () => Promise.reject(new Error("no")));
    const next = mutex("a", call, async () => 7);
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe(7);
  });

  it.each(["before it asks", "while it waits"])(
    "who gives up %s has done nothing, and holds nobody back",
    async (when) => {
      const mutex = keyedMutex("acme");
      const first = Promise.withResolvers<void>();
      const running = mutex("a", call, () => first.promise);
      const user = new AbortController();
      if (when === "before it asks") user.abort();
      let ran = false;
      const waiting = mutex("a", { ...call, signal: user.signal }, async () => {
        ran = true;
      });
      const last = mutex("a", call, async () => "last");
      user.abort();
      const error = await waiting.catch((thrown: unknown) => thrown);
      expect(isProviderError(error, "CANCELLED") && [error.provider, error.operation, error.effect]).toEqual([
        "acme",
        "spawn",
        "none",
      ]);
      first.resolve();
      await running;
      expect(await last).toBe("last");
      expect(ran).toBe(false);
    },
  );

  it("leaves the signal to the work once its turn has come", async () => {
    const mutex = keyedMutex("acme");
    const user = new AbortController();
    const done = mutex("a", { ...call, signal: user.signal }, async () => {
      user.abort();
      return "finished all the same";
    });
    expect(await done).toBe("finished all the same");
  });
});
