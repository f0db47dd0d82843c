import { expect, test } from "vitest";
import { rejection, testWorld } from "./world.ts";

test("a header that asks for years halts nobody for longer than terminate's own time", async () => {
  const { another, emulator, provider, clock } = testWorld();
  const { id } = await provider.spawn({ spec: "NVIDIA L4", key: "job" });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await emulator.fetch(input, init);
    if ((init?.method ?? "GET") !== "GET") return answer;
    answer.headers.set("x-ratelimit-remaining", "0");
    // Milliseconds, in a year that nobody waits for.
    answer.headers.set("x-ratelimit-reset", "1900000000000");
    return answer;
  };
  const slow = another({ runtime: { clock, fetch } });
  await slow.list();
  const begun = clock.now();
  expect(await rejection(slow.terminate(id, { timeoutMs: 5_000 }))).toMatchObject({ code: "TIMEOUT", effect: "none" });
  expect(clock.now() - begun).toBe(5_000);
  await slow.terminate(id);
  // Its read and its DELETE wait for one halt each.
  expect(clock.now() - begun).toBeLessThanOrEqual(600_000);
  expect(emulator.pods()[0]?.deletedAt).not.toBeNull();
});
