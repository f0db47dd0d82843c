import { expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

const A10 = { spec: "gpu_1x_a10" } as const;

test("a repeated spawn after an unclear launch, within the lag, makes no second instance", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 4_000 });
  emulator.control.faults.add({ operation: "spawn", when: "after", row: "bad-gateway" });
  const error = await failure(provider.spawn({ ...A10, key: "job" }));
  expect(error).toMatchObject({ effect: "unknown" });
  const again = await provider.spawn({ ...A10, key: "job" });
  expect(emulator.control.instances().map(({ nativeId }) => nativeId)).toEqual([again.id]);
});
