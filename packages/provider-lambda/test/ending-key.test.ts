import { expect, test } from "vitest";
import { lambdaWorld } from "./world.ts";

test("a key whose instance is terminating gets a new instance, from any process", async () => {
  const { provider, another, emulator } = lambdaWorld();
  const first = await provider.spawn({ spec: "gpu_1x_a10", key: "job" });
  await provider.terminate(first.id);
  expect(emulator.control.instances()[0]?.status).toBe("terminating");
  const second = await another().spawn({ spec: "gpu_1x_a10", key: "job" });
  expect(second.id).not.toBe(first.id);
  expect((await provider.spawn({ spec: "gpu_1x_a10", key: "job" })).id).toBe(second.id);
});
