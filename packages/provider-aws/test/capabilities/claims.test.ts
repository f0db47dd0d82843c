import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { type AwsWorld, awsWorld, failure, through } from "../world.ts";

const GIB = 1024 ** 3;
const spec = { spec: "m5.large" } as const;
const pool = "p";

const ofPool = ({ emulator }: AwsWorld) => emulator.control.volumes().filter(({ tags }) => "slipway:pool" in tags);
const held = (world: AwsWorld) => ofPool(world).filter(({ attachment }) => attachment !== null);

/** An instance that runs, and free volumes of the pool in every zone. */
async function ready(world: AwsWorld, eachZone: number) {
  const zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
  for (let at = 0; at < eachZone; at += 1) {
    for (const zone of zones) {
      await world.provider.warmVolume({ key: `${zone} ${at}`, pool, sizeBytes: GIB, zone });
    }
  }
  const { id } = await world.provider.spawn({ ...spec, key: "k" });
  await world.emulator.clock.sleep(60_000);
  return { instanceId: id, pool };
}

describe("a claim whose answer was lost", () => {
  test.each([0, 4_000])("has its volume by the next claim, where reads lag by %i ms", async (readLagMs) => {
    const world = awsWorld({ bootMs: 1_000, readLagMs });
    const wanted = await ready(world, 2);
    world.emulator.control.faults.add({ operation: "AttachVolume", when: "reply-lost" });
    expect(await failure(world.provider.claimWarmVolume(wanted))).toMatchObject({ effect: "unknown" });
    await world.emulator.clock.sleep(10_000);
    const claimed = await world.provider.claimWarmVolume(wanted);
    expect(held(world).map(({ id }) => `us-east-1/${id}`)).toEqual([claimed?.id]);
  });

  test("is forgotten where nothing came of it", async () => {
    const world = awsWorld({ bootMs: 1_000 });
    const wanted = await ready(world, 1);
    world.emulator.control.faults.add({ operation: "AttachVolume", when: "before", row: "connection-reset" });
    await failure(world.provider.claimWarmVolume(wanted));
    const claimed = await world.provider.claimWarmVolume(wanted);
    expect(held(world).map(({ id }) => `us-east-1/${id}`)).toEqual([claimed?.id]);
  });
});

test("a second claim by the same instance has a second volume, though listings show the first as free", async () => {
  const world = awsWorld({ bootMs: 1_000, readLagMs: 4_000 });
  const wanted = await ready(world, 2);
  const [first, second] = [await world.provider.claimWarmVolume(wanted), await world.provider.claimWarmVolume(wanted)];
  expect(second?.id).not.toBe(first?.id);
  expect(held(world)).toHaveLength(2);
});

test("a volume that goes back right after its claim is free for the next one", async () => {
  const world = awsWorld({ bootMs: 1_000 });
  const wanted = await ready(world, 1);
  const first = await world.provider.claimWarmVolume(wanted);
  await world.provider.releaseWarmVolume(first?.id ?? "");
  await world.emulator.clock.sleep(2_000);
  expect((await world.provider.claimWarmVolume(wanted))?.id).toBe(first?.id);
});

test("a repeated spawn keeps the volume that the first one claimed, and takes no other", async () => {
  const world = awsWorld({ bootMs: 1_000 });
  await ready(world, 2);
  const options = { ...spec, key: "n", warmVolume: pool };
  const { id } = await world.provider.spawn(options);
  await world.emulator.clock.sleep(10_000);
  expect((await world.another().spawn(options)).id).toBe(id);
  expect(held(world)).toHaveLength(1);
});

test("a device name that is taken after all is left for the next one", async () => {
  const world = awsWorld({ bootMs: 1_000 });
  const wanted = await ready(world, 2);
  await world.provider.claimWarmVolume(wanted);
  // What this process reads of the machine is older than its first volume.
  const late = through(world, async ({ action }, send) => {
    const answer = await send();
    if (action !== "DescribeInstances") return answer;
    const text = (await answer.text()).replaceAll("/dev/sdf", "/dev/xvda");
    return new Response(text, { status: answer.status, headers: answer.headers });
  });
  expect(await late.claimWarmVolume(wanted)).not.toBeNull();
  expect(
    held(world)
      .map(({ attachment }) => attachment?.device)
      .toSorted(),
  ).toEqual(["/dev/sdf", "/dev/sdg"]);
});
