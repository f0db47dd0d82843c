import "@aws-sdk/client-ec2";
import "@aws-sdk/client-ssm";
import { DeregisterImageCommand } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { EMULATED_IMAGES } from "../emulator/index.ts";
import { CREDENTIALS } from "./aws-harness.ts";
import { ec2Client } from "./emulator/sdk.ts";
import { awsWorld, failure, refusedWith, through } from "./world.ts";

const spec = { spec: "t3.micro" } as const;

test("an image that is gone since it was looked up is looked up again, and the launch tried once more", async () => {
  const world = awsWorld();
  let refused = 0;
  const provider = through(world, async ({ action }, send) => {
    if (action !== "RunInstances" || world.sent("RunInstances").length !== 1 || refused > 0) return await send();
    refused += 1;
    return refusedWith("InvalidAMIID.NotFound", "The image id does not exist");
  });
  await provider.spawn({ ...spec, key: "a" });
  // The same image again: EC2's refusal stands.
  expect(await failure(provider.spawn({ ...spec, key: "b" }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(["GetParameter", "DescribeImages"].map((action) => world.sent(action).length)).toEqual([2, 2]);
  await provider.spawn({ ...spec, key: "b" });
  expect(["GetParameter", "DescribeImages"].map((action) => world.sent(action).length)).toEqual([2, 2]);
});

test("an image of one's own that is deregistered later is refused, though it is remembered", async () => {
  const world = awsWorld({ imageMs: 0 });
  const { id } = await world.provider.spawn({ ...spec, key: "source" });
  await world.emulator.clock.sleep(60_000);
  const snapshot = await world.provider.createSnapshot(id, { key: "s" });
  await world.emulator.clock.sleep(60_000);
  const image = snapshot.id.split("/").at(-1) ?? "";
  await world.provider.spawn({ ...spec, key: "a", image });
  await ec2Client(world.emulator, "us-east-1", CREDENTIALS).send(new DeregisterImageCommand({ ImageId: image }));
  await world.emulator.clock.sleep(60_000);
  expect(await failure(world.provider.spawn({ ...spec, key: "b", image }))).toMatchObject({
    code: "INVALID_SPEC",
    effect: "none",
  });
});

test("an image is asked for again after an hour", async () => {
  const world = awsWorld();
  const image = EMULATED_IMAGES[0]?.id ?? "";
  await world.provider.spawn({ ...spec, key: "a", image });
  await world.emulator.clock.sleep(3_599_000);
  await world.provider.spawn({ ...spec, key: "b", image });
  expect(world.sent("DescribeImages")).toHaveLength(1);
  await world.emulator.clock.sleep(60_000);
  await world.provider.spawn({ ...spec, key: "c", image });
  expect(world.sent("DescribeImages")).toHaveLength(2);
});

test.each(["GetParameter", "DescribeImages"])(
  "a spawn that gives up in %s leaves the lookup to the next",
  async (at) => {
    const world = awsWorld({ latencyMs: 1_000 });
    const controller = new AbortController();
    const provider = through(world, async ({ action }, send) => {
      if (action !== at || controller.signal.aborted) return await send();
      await world.emulator.clock.sleep(1_000);
      controller.abort();
      throw controller.signal.reason;
    });
    const spawns = ["a", "b"].map((key) =>
      provider.spawn({ ...spec, key, ...(key === "a" ? { signal: controller.signal } : {}) }),
    );
    const outcomes = await Promise.allSettled(spawns);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  },
);

test("many that wait for a lookup that fails get its failure, and the next one looks again", async () => {
  const world = awsWorld({ latencyMs: 1_000 });
  let isDenied = true;
  const provider = through(world, async ({ action }, send) => {
    const answer = await send();
    return action === "DescribeImages" && isDenied ? refusedWith("UnauthorizedOperation", "no", 403) : answer;
  });
  const image = EMULATED_IMAGES[0]?.id ?? "";
  const failures = await Promise.all(
    Array.from({ length: 50 }, (_, i) => failure(provider.spawn({ ...spec, key: `k${i}`, image }))),
  );
  expect(failures.map(({ code, effect }) => `${code} ${effect}`)).toEqual(Array(50).fill("AUTH_ERROR none"));
  expect(world.sent("DescribeImages")).toHaveLength(1);
  isDenied = false;
  await provider.spawn({ ...spec, key: "k0", image });
  expect(world.sent("DescribeImages")).toHaveLength(2);
});

test("many that wait for an image that is not there are told so by one lookup", async () => {
  const world = awsWorld({ latencyMs: 1_000 });
  const image = "ami-0fffffffffffffff0";
  const failures = await Promise.all(
    Array.from({ length: 50 }, (_, i) => failure(world.provider.spawn({ ...spec, key: `k${i}`, image }))),
  );
  expect(failures.map(({ code, effect }) => `${code} ${effect}`)).toEqual(Array(50).fill("INVALID_SPEC none"));
  expect(world.sent("DescribeImages")).toHaveLength(1);
  // It may have come since.
  await failure(world.provider.spawn({ ...spec, key: "k0", image }));
  expect(world.sent("DescribeImages")).toHaveLength(2);
});

test("two spawns that meet an image which is gone by now both launch with the newer one", async () => {
  const world = awsWorld({ latencyMs: 1_000 });
  const [older, newer] = EMULATED_IMAGES.filter(({ architecture }) => architecture === "x86_64").map(({ id }) => id);
  let current = older;
  const used: (string | null)[] = [];
  const provider = through(world, async ({ action, parameters }, send) => {
    if (action === "GetParameter") return parameterAnswer(current);
    if (action !== "RunInstances") return await send();
    const image = parameters.get("ImageId");
    used.push(image);
    if (image === current) return await send();
    await world.emulator.clock.sleep(1_000);
    return refusedWith("InvalidAMIID.NotFound", "The image id does not exist");
  });
  expect(await provider.spawn({ ...spec, key: "a" })).toMatchObject({ image: older });
  current = newer;
  const made = await Promise.all(["b", "c"].map((key) => provider.spawn({ ...spec, key })));
  expect(made.map(({ image }) => image)).toEqual([newer, newer]);
  expect(used).toEqual([older, older, older, newer, newer]);
});

function parameterAnswer(value: string | undefined): Response {
  return Response.json(
    { Parameter: { Name: "p", Type: "String", Value: value, Version: 1 } },
    { headers: { "content-type": "application/x-amz-json-1.1" } },
  );
}
