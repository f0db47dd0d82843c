import "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { awsParts } from "../src/provider.ts";
import { endAll } from "../src/workflows/instances.ts";
import { awsWorld, failure, refusedWith, through } from "./world.ts";

// What was made just now by another process is in no listing yet, and must be ended all the same.
const LAG = { readLagMs: 4_000, bootMs: 0, volumeMs: 500 } as const;
const GIB = 1024 ** 3;
const zone = "us-east-1a";

const live = ({ emulator }: ReturnType<typeof awsWorld>) => emulator.control.instances().filter((one) => one.live);

test("an instance is known at once to whoever has launched it", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.spawn({ spec: "t3.micro" });
  expect(await world.another().get(id)).toBeNull();
  expect(await world.provider.get(id)).toMatchObject({ id });
  expect(await failure(world.provider.createSnapshot(id, { key: "s" }))).toMatchObject({ code: "BUSY" });
});

test("an instance that EC2 does not even end yet is not taken for ended", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.spawn({ spec: "t3.micro" });
  const row = "InvalidInstanceID.NotFound";
  world.emulator.control.faults.add({ operation: "TerminateInstances", when: "before", row });
  expect(await failure(world.provider.terminate(id))).toMatchObject({ code: "BUSY", effect: "none" });
  await world.provider.terminate(id);
  expect(live(world)).toEqual([]);
});

test("an instance that EC2 shows is not ended because EC2 says once that it does not know it", async () => {
  const world = awsWorld({ bootMs: 0 });
  const { id } = await world.provider.spawn({ spec: "t3.micro" });
  const other = through(world, async ({ action }, send) =>
    action === "TerminateInstances" ? refusedWith("InvalidInstanceID.NotFound") : await send(),
  );
  expect(await failure(other.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  expect(live(world)).toHaveLength(1);
});

test("an instance of another process that EC2 does not even end yet is not taken for ended", async () => {
  const world = awsWorld(LAG);
  const [other, spec] = [world.another(), { spec: "t3.micro", key: "k" }];
  const { id } = await world.provider.spawn(spec);
  world.emulator.control.faults.add({
    operation: "TerminateInstances",
    when: "before",
    row: "InvalidInstanceID.NotFound",
  });
  await other.terminate(id);
  expect((await other.spawn(spec)).id).toBe(id);
  await other.terminate(id);
  expect(live(world)).toEqual([]);
});

test("a workflow does not take an instance for ended that EC2 does not find for its end", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.spawn({ spec: "t3.micro", key: "k" });
  const notYet = { operation: "TerminateInstances", when: "before", row: "InvalidInstanceID.NotFound" } as const;
  world.emulator.control.faults.add(notYet);
  const { context } = awsParts(world.options());
  const undo = () => endAll(context, { operation: "launch" }, ["k"], { outcome: "done", instanceId: id });
  expect(await failure(undo())).toMatchObject({ code: "UNAVAILABLE", effect: "unknown", retryable: true });
  await undo();
  expect(live(world)).toEqual([]);
});

const regions = ["us-east-1", "eu-central-1"];

test("what ended just now in one place changes no token of another: whoever does not see it yet makes the same instance", async () => {
  const world = awsWorld(LAG, { regions });
  const ended = await world.provider.spawn({ spec: "t3.micro", key: "k", region: "eu-central-1" });
  await world.provider.terminate(ended.id);
  const one = await world.another().spawn({ spec: "t3.micro", key: "k" });
  expect((await world.provider.spawn({ spec: "t3.micro", key: "k" })).id).toBe(one.id);
  expect(live(world)).toHaveLength(1);
});

// So long that what this process did just before is no longer "just now" when the answer comes.
const slowRead = ({ emulator }: ReturnType<typeof awsWorld>) =>
  emulator.control.faults.add({ operation: "DescribeInstances", when: "delayed", delayMs: 20_000 });

test("a read that takes longer than reads may lag hides nothing that was made before it", async () => {
  const world = awsWorld(LAG, { regions });
  const { id, nativeId } = await world.provider.spawn({ spec: "t3.micro", key: "k", region: "eu-central-1" });
  // Nobody sees it yet, and the answer of the region where it is comes first.
  slowRead(world);
  const again = world.provider.spawn({ spec: "t3.micro", key: "k", region: "eu-central-1" });
  expect((await again).id).toBe(id);
  const young = await world.provider.spawn({ spec: "t3.micro", key: "l" });
  slowRead(world);
  expect(await world.provider.get(young.id)).toMatchObject({ id: young.id });
  slowRead(world);
  expect(await failure(world.provider.spawn({ spec: "t3.micro", key: "k" }))).toMatchObject({
    code: "CONFLICT",
    native: { id },
  });
  expect(live(world).map((one) => one.id)).toContain(nativeId);
  expect(live(world)).toHaveLength(2);
});

test("a lookup that takes longer than reads may lag does not bring back what was ended before it", async () => {
  const world = awsWorld(LAG, { regions });
  const spec = { spec: "t3.micro", key: "k" };
  const { id } = await world.provider.spawn(spec);
  await world.emulator.clock.sleep(10_000);
  await world.provider.terminate(id);
  slowRead(world);
  expect((await world.provider.spawn(spec)).id).not.toBe(id);
  expect(live(world)).toHaveLength(1);
});

test("a launch without an answer is not forgotten over a slow lookup", async () => {
  const world = awsWorld(LAG, { regions });
  world.emulator.control.faults.add({ operation: "RunInstances", when: "reply-lost" });
  const first = world.provider.spawn({ spec: "t3.micro", key: "k", region: "eu-central-1" });
  expect(await failure(first)).toMatchObject({ effect: "unknown" });
  slowRead(world);
  expect(await failure(world.provider.spawn({ spec: "t3.micro", key: "k" }))).toMatchObject({ code: "CONFLICT" });
  expect(live(world)).toHaveLength(1);
});

test("an instance is ended by whoever has its id", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.spawn({ spec: "t3.micro" });
  await world.another().terminate(id);
  expect(live(world)).toEqual([]);
});

test("a volume is deleted by whoever has its id", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
  await world.another().deleteVolume(id);
  expect(world.emulator.control.volumes().filter(({ state }) => state !== "deleting")).toEqual([]);
});

test("a snapshot is deleted, with its disks, by whoever has its id", async () => {
  const world = awsWorld(LAG);
  const { id } = await world.provider.spawn({ spec: "t3.micro" });
  await world.emulator.clock.sleep(10_000);
  const snapshot = await world.provider.createSnapshot(id, { key: "s" });
  await world.another().deleteSnapshot(snapshot.id);
  expect(world.emulator.control.images()).toEqual([]);
  await world.emulator.clock.sleep(10_000);
  await world.another().deleteSnapshot(snapshot.id);
  expect(world.emulator.control.snapshots()).toEqual([]);
});

test("a spot request is cancelled, with its instance, by whoever has its id", async () => {
  const world = awsWorld(LAG);
  const { requestId } = await world.provider.requestSpotInstance({ spec: "m5.large" });
  await world.another().cancelSpotRequest(requestId);
  expect(live(world)).toEqual([]);
});

test("a claimed volume goes back to its pool", async () => {
  const world = awsWorld(LAG);
  await world.provider.warmVolume({ key: "v", pool: "data", sizeBytes: GIB, zone });
  const [place] = await world.provider.placements({ spec: "m5.large", warmVolume: "data" });
  await world.emulator.clock.sleep(10_000);
  const [best = place] = await world.provider.placements({ spec: "m5.large", warmVolume: "data" });
  const instance = await world.provider.spawn({ spec: "m5.large", ...best });
  await world.emulator.clock.sleep(10_000);
  const claimed = await world.provider.claimWarmVolume({ pool: "data", instanceId: instance.id });
  expect(claimed).not.toBeNull();
  await world.another().releaseWarmVolume(claimed?.id ?? "");
  await world.emulator.clock.sleep(10_000);
  expect((await world.provider.listVolumes())[0]).toMatchObject({ status: "available", attachedTo: null });
});

test("a volume that was made just now can be spawned with", async () => {
  const world = awsWorld({ ...LAG, volumeMs: 10_000 });
  const { id } = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
  const instance = await world.provider.spawn({ spec: "m5.large", volumes: [{ id, mountPath: "/data" }] });
  await world.emulator.clock.sleep(10_000);
  expect((await world.provider.listVolumes())[0]?.attachedTo).toBe(instance.id);
});
