import "@aws-sdk/client-ec2";
import { ERROR_CODES } from "@slipway/core";
import { expect, test } from "vitest";
import { WIRE_ROWS } from "./aws-harness.ts";
import { awsWorld, failure } from "./world.ts";

const OFTEN = 20;
const CALLS = {
  spawn: (world: ReturnType<typeof awsWorld>) => world.provider.spawn({ spec: "t3.micro", key: "k" }),
  listVolumes: (world: ReturnType<typeof awsWorld>) => world.provider.listVolumes(),
} as const;

test("every code that AWS can answer with comes out as its row says, and leaves nothing that the error denies", async () => {
  expect(WIRE_ROWS.length).toBeGreaterThan(408);
  // What changes nothing leaves nothing for the next row either.
  const unchanged = awsWorld();
  for (const { id, operation, code, scope, effect, hint } of WIRE_ROWS) {
    const world = effect === "none" ? unchanged : awsWorld();
    world.emulator.control.faults.clear();
    const when = effect === "none" ? "before" : "after";
    world.emulator.control.faults.add({ operation, when, code, row: id, times: OFTEN });
    const error = await failure(CALLS[operation as keyof typeof CALLS](world));
    expect([id, error.code, error.scope, error.effect, error.native?.code, error.hint]).toEqual([
      id,
      code,
      scope ?? ERROR_CODES[code].scope,
      effect,
      id,
      hint,
    ]);
    if (effect === "none") expect(world.emulator.control.instances(), id).toEqual([]);
  }
});

test("a launch refused for want of capacity is asked for once", async () => {
  const world = awsWorld();
  world.emulator.control.setCapacity({ zone: "us-east-1a", type: "t3.micro" }, 0);
  const subnet = await subnetIn(world, "us-east-1a");
  const error = await failure(world.provider.spawn({ spec: "t3.micro", network: { subnet } }));
  expect(error).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", effect: "none" });
  expect(world.sent("RunInstances")).toHaveLength(1);
});

async function subnetIn(world: ReturnType<typeof awsWorld>, zone: string): Promise<string> {
  const places = await world.provider.placements({ spec: "t3.micro" });
  const found = places.find(({ network }) => network?.subnet !== undefined && zone !== "");
  return found?.network?.subnet ?? "";
}
