import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { awsWorld, failure, refusedWith, through } from "../world.ts";

const options = { spec: "m5.large", key: "k", hibernation: true } as const;

describe("an instance that hibernates", () => {
  test("right after its start is asked again until its agent is ready", async () => {
    const world = awsWorld({ bootMs: 1_000 });
    const { id } = await world.provider.spawn(options);
    await world.emulator.clock.sleep(2_000);
    const { status } = await world.provider.hibernate(id);
    expect(status).toBe("stopping");
    expect(world.sent("StopInstances").length).toBeGreaterThan(5);
    await world.emulator.clock.sleep(60_000);
    expect((await world.provider.get(id))?.status).toBe("hibernated");
  });

  test("is BUSY with nothing done where its agent never gets ready", async () => {
    const world = awsWorld({ bootMs: 1_000 });
    const { id } = await world.provider.spawn(options);
    await world.emulator.clock.sleep(2_000);
    const provider = through(world, async ({ action }, send) =>
      action === "StopInstances"
        ? refusedWith("UnsupportedOperation", "The instance is not ready to hibernate yet.")
        : await send(),
    );
    expect(await failure(provider.hibernate(id))).toMatchObject({ code: "BUSY", effect: "none" });
    expect((await world.provider.get(id))?.status).toBe("running");
  });

  test.each(["hibernate", "resume"] as const)("is done by a repeated %s whose first answer was lost", async (name) => {
    const world = awsWorld({ bootMs: 1_000, stopMs: 2_000, readLagMs: 4_000 });
    const { id } = await world.provider.spawn(options);
    await world.emulator.clock.sleep(200_000);
    if (name === "resume") await world.provider.hibernate(id);
    await world.emulator.clock.sleep(60_000);
    world.emulator.control.faults.add({ operation: name, when: "reply-lost" });
    expect(await failure(world.provider[name](id))).toMatchObject({ effect: "unknown" });
    await world.provider[name](id);
    await world.emulator.clock.sleep(60_000);
    expect((await world.provider.get(id))?.status).toBe(name === "hibernate" ? "hibernated" : "running");
  });

  test("while it starts or stops is BUSY, and asked for twice it is stopped once", async () => {
    const world = awsWorld({ bootMs: 1_000, stopMs: 20_000 });
    const { id } = await world.provider.spawn(options);
    expect(await failure(world.provider.hibernate(id))).toMatchObject({ code: "BUSY", effect: "none" });
    await world.emulator.clock.sleep(200_000);
    await world.provider.hibernate(id);
    expect((await world.provider.hibernate(id)).status).toBe("stopping");
    expect(await failure(world.provider.resume(id))).toMatchObject({ code: "BUSY", effect: "none" });
    await world.emulator.clock.sleep(60_000);
    expect((await world.provider.hibernate(id)).status).toBe("hibernated");
    expect(world.sent("StopInstances")).toHaveLength(1);
    await world.provider.resume(id);
    await world.provider.resume(id);
    expect(world.sent("StartInstances")).toHaveLength(1);
  });
});

describe("while reads do not show yet what was done", () => {
  const hibernated = async () => {
    const world = awsWorld({ bootMs: 1_000, stopMs: 1_000, readLagMs: 30_000 }, { readAfterWriteMs: 31_000 });
    const { id } = await world.provider.spawn(options);
    await world.emulator.clock.sleep(200_000);
    await world.provider.hibernate(id);
    const truth = () => world.emulator.control.instances()[0]?.status;
    return { world, id, truth, provider: world.provider };
  };

  test("resume of what was hibernated just now is BUSY while it stops, and then starts it", async () => {
    const { world, id, truth, provider } = await hibernated();
    expect(await failure(provider.resume(id))).toMatchObject({ code: "BUSY", effect: "none" });
    await world.emulator.clock.sleep(2_000);
    await provider.resume(id);
    expect(truth()).toBe("pending");
  });

  test("resume starts what a hibernation without an answer stopped", async () => {
    const { world, id, truth, provider } = await hibernated();
    await world.emulator.clock.sleep(60_000);
    await provider.resume(id);
    await world.emulator.clock.sleep(200_000);
    world.emulator.control.faults.add({ operation: "hibernate", when: "reply-lost" });
    expect(await failure(provider.hibernate(id))).toMatchObject({ effect: "unknown" });
    await world.emulator.clock.sleep(2_000);
    await provider.resume(id);
    expect(truth()).toBe("pending");
  });

  test("hibernate of what was resumed just now is BUSY while it starts, and then stops it", async () => {
    const { world, id, truth, provider } = await hibernated();
    await world.emulator.clock.sleep(60_000);
    await provider.resume(id);
    expect(await failure(provider.hibernate(id))).toMatchObject({ code: "BUSY", effect: "none" });
    await world.emulator.clock.sleep(2_000);
    await provider.hibernate(id);
    expect(truth()).toBe("stopping");
  });

  test.each(["hibernate", "resume"] as const)("%s of what was terminated just now is refused", async (name) => {
    const { world, id, provider } = await hibernated();
    await world.emulator.clock.sleep(60_000);
    if (name === "resume") await provider.resume(id);
    await world.emulator.clock.sleep(60_000);
    await provider.terminate(id);
    expect(await failure(provider[name](id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  });
});

test.each(["hibernate", "resume"] as const)("%s refuses what was not spawned with hibernation", async (name) => {
  const world = awsWorld({ bootMs: 1_000 });
  const { id } = await world.provider.spawn({ spec: "m5.large" });
  await world.emulator.clock.sleep(200_000);
  const before = world.emulator.control.changes();
  expect(await failure(world.provider[name](id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  expect(world.emulator.control.changes()).toBe(before);
});
