import "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { register } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";
import { type AwsWorld, awsWorld, failure } from "./world.ts";

const spec = { spec: "t3.micro" } as const;
const web = { ...spec, ports: [{ port: 443 }, { port: 22 }] } as const;

const cleanupOf = async ({ emulator }: AwsWorld, owner = "tests") => {
  const config = { credentials: CREDENTIALS, regions: ["us-east-1", "us-west-2"] };
  return (await register(config, { owner, variables: {}, runtime: runtimeOf(emulator) })).cleanup;
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

test("a group with our name and without our mark is left alone", async () => {
  const world = awsWorld();
  await world.provider.spawn(web);
  const [group] = ours(world);
  // Somebody takes our mark away.
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
