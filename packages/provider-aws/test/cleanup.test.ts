import { DeregisterImageCommand } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { register } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";
import { ec2Client } from "./emulator/sdk.ts";
import { type AwsWorld, awsWorld, failure, type Wire, wired } from "./world.ts";

const spec = { spec: "t3.micro" } as const;
const web = { ...spec, ports: [{ port: 443 }, { port: 22 }] } as const;

const cleanupOf = async ({ emulator }: AwsWorld, wire: Wire = (_request, send) => send()) => {
  const config = { credentials: CREDENTIALS, regions: ["us-east-1", "us-west-2"] };
  const runtime = { ...runtimeOf(emulator), fetch: wired(emulator.fetch, wire) };
  return (await register(config, { owner: "tests", variables: {}, runtime })).cleanup;
};
const ours = ({ emulator }: AwsWorld) =>
  emulator.control.securityGroups().filter(({ tags }) => "slipway:owner" in tags);

test("many spawns at once in many processes make one group with each rule once", async () => {
  const world = awsWorld({ readLagMs: 2_000 });
  const processes = Array.from({ length: 5 }, () => world.another());
  await Promise.all(processes.flatMap((one) => [one.spawn(web), one.spawn(web)]));
  const [group, ...others] = ours(world);
  expect(others).toEqual([]);
  const rules = group?.inbound.map(({ protocol, from, to }) => `${protocol} ${from}-${to}`);
  expect(new Set(rules)).toEqual(new Set(["tcp 22-22", "tcp 443-443"]));
  expect(world.emulator.control.instances().every(({ live }) => live)).toBe(true);
});

test("no port is open that nobody asked for", async () => {
  const world = awsWorld();
  await world.provider.spawn(spec);
  expect(ours(world)).toEqual([]);
  expect(world.sent("RunInstances")[0]?.parameters.get("SecurityGroupId.1")).toBeNull();
});

test("a group with our name and without our tag is left alone", async () => {
  const world = awsWorld();
  await world.provider.spawn(web);
  const [group] = ours(world);
  // Somebody takes our tag away.
  Reflect.deleteProperty(group?.tags ?? {}, "slipway:owner");
  const error = await failure(world.another().spawn({ ...web, key: "other" }));
  expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: group?.id } });
});

test("cleanup plans what nothing uses, of this owner alone, and removes it", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const used = await world.provider.spawn(web);
  const ended = await world.provider.spawn({ ...spec, ports: [{ port: 80 }] });
  await world.another({ owner: "else" }).spawn(web);
  await world.provider.terminate(ended.id);
  await world.emulator.clock.sleep(600_000);
  const cleanup = await cleanupOf(world);
  const plan = await cleanup.planCleanup();
  expect(plan).toEqual([
    {
      kind: "security-group",
      id: expect.stringMatching(/^us-east-1\/sg-/),
      region: "us-east-1",
      reason: expect.any(String),
    },
  ]);
  const before = world.emulator.control.changes();
  expect(ours(world)).toHaveLength(3);
  expect(world.emulator.control.changes()).toBe(before);
  const [item] = plan;
  if (item === undefined) throw new Error("nothing planned");
  expect(await cleanup.removeLeftover(item)).toBe("removed");
  expect(await cleanup.removeLeftover(item)).toBe("removed");
  expect(ours(world)).toHaveLength(2);
  expect((await world.provider.get(used.id))?.securityGroups).toHaveLength(1);
});

test("what is used again since the plan stays", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const { id } = await world.provider.spawn(web);
  await world.provider.terminate(id);
  await world.emulator.clock.sleep(600_000);
  const cleanup = await cleanupOf(world);
  const [item] = await cleanup.planCleanup();
  await world.another().spawn(web);
  if (item === undefined) throw new Error("nothing planned");
  expect(await cleanup.removeLeftover(item)).toBe("in-use");
  expect(ours(world)).toHaveLength(1);
});

test("a spawn whose group somebody deleted makes it again", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const { id } = await world.provider.spawn(web);
  await world.provider.terminate(id);
  await world.emulator.clock.sleep(600_000);
  const cleanup = await cleanupOf(world);
  for (const item of await cleanup.planCleanup()) await cleanup.removeLeftover(item);
  expect(ours(world)).toEqual([]);
  // This process still remembers the group.
  const { securityGroups } = await world.provider.spawn({ ...web, key: "again" });
  expect(securityGroups).toHaveLength(1);
});

test.each([
  ["DependencyViolation", "in-use"],
  ["InvalidGroup.InUse", "in-use"],
  ["InvalidGroup.NotFound", "removed"],
  ["InvalidSecurityGroupID.NotFound", "removed"],
])("where EC2 answers %s to the removal itself it is %s", async (row, outcome) => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const { id } = await world.provider.spawn(web);
  await world.provider.terminate(id);
  await world.emulator.clock.sleep(600_000);
  const cleanup = await cleanupOf(world);
  const [item] = await cleanup.planCleanup();
  if (item === undefined) throw new Error("nothing planned");
  world.emulator.control.faults.add({ operation: "DeleteSecurityGroup", when: "before", row });
  expect(await cleanup.removeLeftover(item)).toBe(outcome);
});

test("a failed removal is an error, and what is none of the plan's is refused", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const { id } = await world.provider.spawn(web);
  await world.provider.terminate(id);
  await world.emulator.clock.sleep(600_000);
  const cleanup = await cleanupOf(world);
  const [item] = await cleanup.planCleanup();
  if (item === undefined) throw new Error("nothing planned");
  world.emulator.control.denied.add("DeleteSecurityGroup");
  expect(await failure(cleanup.removeLeftover(item))).toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  const other = { ...item, kind: "instance" };
  expect(await failure(cleanup.removeLeftover(other))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
});

test("the disks of an image that is still being made are none of the leftovers of a deleted one", async () => {
  const world = awsWorld({ bootMs: 0, imageMs: 60_000 });
  const { id, nativeId } = await world.provider.spawn(spec);
  await world.emulator.clock.sleep(10_000);
  const old = await world.provider.createSnapshot(id, { key: "old" });
  await world.emulator.clock.sleep(120_000);
  const client = ec2Client(world.emulator, "us-east-1", CREDENTIALS);
  // By hand, and without the disks behind it.
  await client.send(new DeregisterImageCommand({ ImageId: old.imageId }));
  await world.provider.createSnapshot(id, { key: "new" });
  // While it is made EC2 may not tell the disks of an image.
  const cleanup = await cleanupOf(world, async ({ action }, send) => {
    const answer = await send();
    if (action !== "DescribeImages") return answer;
    const text = await answer.text();
    const bare = text.includes(">pending<") ? text.replace(/<blockDeviceMapping>.*<\/blockDeviceMapping>/s, "") : text;
    return new Response(bare, { status: answer.status, headers: answer.headers });
  });
  expect(world.emulator.control.snapshots()).toHaveLength(2);
  expect(await cleanup.planCleanup()).toEqual([]);
  await world.emulator.clock.sleep(120_000);
  const plan = await cleanup.planCleanup();
  expect(plan.map(({ kind }) => kind)).toEqual(["backing-snapshot"]);
  for (const item of plan) expect(await cleanup.removeLeftover(item)).toBe("removed");
  const [left, ...others] = world.emulator.control.snapshots();
  expect(others).toEqual([]);
  expect(left?.description).toContain(nativeId);
});
