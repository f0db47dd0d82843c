import "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { makeTemplate, requestFleet } from "../src/fleet.ts";
import { awsParts } from "../src/provider.ts";
import { launchParts } from "../src/run-request.ts";
import { awsWorld } from "./world.ts";

const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];

test("one key on spot and then on demand is two requests to EC2, each of which may be repeated", async () => {
  const world = awsWorld();
  for (const zone of ZONES) world.emulator.control.setCapacity({ zone, type: "m5.large", market: "spot" }, 0);
  const { context } = awsParts(world.options());
  const call = { operation: "launch" };
  const request = context.lifeCycle().requestOf(call, { spec: "m5.large", key: "k", region: "us-east-1" });
  const parts = await launchParts(context, call, request);
  const template = "slipway-fleet-test";
  const expiresAt = new Date(world.emulator.clock.now() + 3_600_000).toISOString();
  for (let times = 0; times < 2; times += 1) {
    await makeTemplate(context, call, request, parts, { name: template, expiresAt, specs: ["m5.large"] });
  }
  expect(world.emulator.control.launchTemplates()).toHaveLength(1);
  const places = await world.provider.placements({ spec: "m5.large" });
  const choices = places.map(({ network }, at) => ({
    spec: "m5.large",
    zone: ZONES[at] ?? "",
    subnetId: network?.subnet ?? "",
  }));
  const asked = (market: "spot" | "on-demand") =>
    requestFleet(context, call, request, {
      template,
      choices,
      market,
      generation: 0,
      findMadeBefore: async () => undefined,
    });
  expect(await asked("spot")).toMatchObject({ instanceId: null, code: "CAPACITY_ERROR" });
  const first = await asked("on-demand");
  expect(first.instanceId).not.toBeNull();
  expect((await asked("on-demand")).instanceId).toBe(first.instanceId);
  expect(world.emulator.control.instances()).toHaveLength(1);
});
