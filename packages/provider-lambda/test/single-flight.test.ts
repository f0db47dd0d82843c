import { expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

test("a read that was sent already is not shared: it may not see what has happened since", async () => {
  const { provider, another, emulator } = lambdaWorld({ latencyMs: 0 });
  emulator.control.faults.add({ operation: "list", when: "delayed", delayMs: 10_000 });
  const early = provider.list();
  await emulator.clock.sleep(1_000);
  const { id } = await another().spawn({ spec: "gpu_1x_a10" });
  const late = provider.list();
  expect((await late).map((instance) => instance.id)).toEqual([id]);
  expect(await early).toEqual([]);
});

test("reads that wait for their turn are one request", async () => {
  const { provider, emulator } = lambdaWorld({}, { requestsPerSecond: 0.1 });
  await provider.list();
  await Promise.all(Array.from({ length: 20 }, () => provider.list()));
  expect(emulator.control.requests).toHaveLength(2);
});

test("who aborts leaves the others alone, and when nobody waits nothing is sent", async () => {
  const { provider, emulator } = lambdaWorld({}, { requestsPerSecond: 0.1 });
  await provider.list();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = failure(provider.list({}, { signal: one.signal }));
  const second = provider.list({}, { signal: two.signal });
  one.abort();
  expect(await first).toMatchObject({ code: "CANCELLED", effect: "none", operation: "list" });
  expect(await second).toEqual([]);
  expect(emulator.control.requests).toHaveLength(2);

  const third = failure(provider.list({}, { signal: two.signal }));
  two.abort();
  expect(await third).toMatchObject({ code: "CANCELLED" });
  await emulator.clock.sleep(60_000);
  expect(emulator.control.requests).toHaveLength(2);
});
