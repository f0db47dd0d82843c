import { expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

const SPAWN = { spec: "gpu_1x_a10", key: "job" } as const;

test("with a wrong path in the address nothing counts as gone", async () => {
  const { another, provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(SPAWN);
  const wrong = another({ baseUrl: "https://cloud.lambda.ai/api/v2/" });
  expect(await failure(wrong.get(id))).toMatchObject({ operation: "get" });
  expect(await failure(wrong.terminate(id))).toMatchObject({ operation: "terminate" });
  expect(emulator.control.instances()[0]?.live).toBe(true);
});

test("global/not-found of an instance that the listing shows is answered by the listing", async () => {
  const { another, provider, emulator } = lambdaWorld({}, { readAfterWriteMs: 0 });
  const { id } = await provider.spawn(SPAWN);
  emulator.control.faults.add({ operation: "get", when: "before", row: "not-found", times: 9 });
  expect((await another().get(id))?.id).toBe(id);
  expect(await another().get("f".repeat(32))).toBeNull();
});

test("a terminate that is answered with not-found, of an instance that is shown, is not taken for done", async () => {
  const { another, provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(SPAWN);
  emulator.control.faults.add({ operation: "terminate", when: "before", row: "object-does-not-exist", times: 9 });
  expect(await failure(another().terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  expect(emulator.control.instances()[0]?.live).toBe(true);
});

test("after an unclear end, an instance of this process that no read shows yet is not taken for gone", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 4_000 });
  const { id } = await provider.spawn(SPAWN);
  emulator.control.faults.add({ operation: "terminate", when: "before", row: "unknown", times: 9 });
  expect(await failure(provider.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  expect(emulator.control.instances()[0]?.live).toBe(true);
});
