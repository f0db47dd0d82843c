import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { register } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";
import { type AwsWorld, awsWorld, failure, through } from "./world.ts";

const spec = { spec: "t3.micro" } as const;
const web = { ...spec, ports: [{ port: 443 }, { port: 22 }] } as const;
const ours = ({ emulator }: AwsWorld) =>
  emulator.control.securityGroups().filter(({ tags }) => "slipway:owner" in tags);
// Each is there twice: for IPv4 and for IPv6.
const portsOf = (world: AwsWorld) =>
  [...new Set(ours(world).flatMap(({ inbound }) => inbound.map(({ from }) => Number(from))))].toSorted((a, b) => a - b);

describe("a group that EC2 does not show yet", () => {
  test("though it was just made, is waited for", async () => {
    const world = awsWorld();
    world.emulator.control.faults.add({
      operation: "AuthorizeSecurityGroupIngress",
      when: "before",
      row: "InvalidGroup.NotFound",
    });
    const { securityGroups } = await world.provider.spawn(web);
    expect(securityGroups).toHaveLength(1);
    expect(portsOf(world)).toEqual([22, 443]);
  });

  test("as two processes made it at once, is waited for as long as reads may lag", async () => {
    const world = awsWorld({ readLagMs: 10_000 }, { readAfterWriteMs: 30_000 });
    await Promise.all(["a", "b"].map((key) => world.another().spawn({ ...web, key })));
    expect(ours(world)).toHaveLength(1);
  });

  test("is BUSY once reads would show it", async () => {
    const world = awsWorld({ readLagMs: 60_000 });
    await world.provider.spawn({ ...web, key: "a" });
    expect(await failure(world.another().spawn({ ...web, key: "b" }))).toMatchObject({ code: "BUSY", effect: "none" });
  });
});

test("a group that was deleted, and that listings still show, is made again", async () => {
  const world = awsWorld({ readLagMs: 8_000, bootMs: 0, endMs: 1_000 }, { readAfterWriteMs: 10_000 });
  const { id } = await world.provider.spawn({ ...web, key: "a" });
  await world.provider.terminate(id);
  await world.emulator.clock.sleep(60_000);
  const config = { credentials: CREDENTIALS, regions: ["us-east-1"] };
  const { cleanup } = await register(config, { owner: "tests", variables: {}, runtime: runtimeOf(world.emulator) });
  for (const item of await cleanup.planCleanup()) await cleanup.removeLeftover(item);
  expect(ours(world)).toEqual([]);
  expect((await world.another().spawn({ ...web, key: "b" })).securityGroups).toHaveLength(1);
});

test("a group whose maker was lost before it wrote its rules gets them from the next spawn", async () => {
  const world = awsWorld();
  world.emulator.control.faults.add({ operation: "AuthorizeSecurityGroupIngress", when: "before", row: "AuthFailure" });
  await failure(world.provider.spawn({ ...web, key: "a" }));
  expect(portsOf(world)).toEqual([]);
  await world.another().spawn({ ...web, key: "b" });
  expect(portsOf(world)).toEqual([22, 443]);
});

test("a rule that another process has written in the meantime is there", async () => {
  const world = awsWorld();
  await world.provider.spawn({ ...web, key: "a" });
  // What the other one read was older than the rules.
  const other = through(world, async ({ action }, send) => {
    const answer = await send();
    if (action !== "DescribeSecurityGroups") return answer;
    const text = (await answer.text()).replace(/<ipPermissions>[\s\S]*?<\/ipPermissions>/, "<ipPermissions/>");
    return new Response(text, { status: answer.status, headers: answer.headers });
  });
  expect((await other.spawn({ ...web, key: "b" })).securityGroups).toHaveLength(1);
  expect(portsOf(world)).toEqual([22, 443]);
});

test("who gives up while it makes a group takes nobody with it who waits for the same", async () => {
  const world = awsWorld();
  let isFirst = true;
  const provider = through(world, async ({ action }, send) => {
    if (action !== "CreateSecurityGroup" || !isFirst) return await send();
    isFirst = false;
    return await new Promise<never>(() => undefined);
  });
  const controller = new AbortController();
  const first = failure(provider.spawn({ ...web, key: "a", signal: controller.signal }));
  while (isFirst) await world.emulator.clock.sleep(10);
  const second = provider.spawn({ ...web, key: "b" });
  while (world.sent("DescribeInstances").length < 4) await world.emulator.clock.sleep(10);
  await world.emulator.clock.sleep(100);
  controller.abort();
  expect(await first).toMatchObject({ code: "CANCELLED" });
  expect((await second).securityGroups).toHaveLength(1);
});

describe("an isolated instance", () => {
  const isolated = { ...spec, network: { isolated: true } } as const;

  test("has a group that lets nothing in and nothing out, and no public address", async () => {
    const world = awsWorld();
    await world.provider.spawn(isolated);
    const [group, ...others] = ours(world);
    expect(others).toEqual([]);
    expect(group).toMatchObject({ inbound: [], outbound: [] });
    const parameters = world.sent("RunInstances")[0]?.parameters;
    expect(parameters?.get("NetworkInterface.1.AssociatePublicIpAddress")).toBe("false");
    expect(parameters?.get("NetworkInterface.1.SecurityGroupId.1")).toBe(group?.id);
  });

  test("is closed to IPv6 too: in a network that has it EC2 lets that out as well", async () => {
    const world = awsWorld();
    await world.provider.spawn(isolated);
    const revoked = world.sent("RevokeSecurityGroupEgress").flatMap(({ parameters }) => [...parameters.values()]);
    expect(revoked).toContain("0.0.0.0/0");
    expect(revoked).toContain("::/0");
  });

  test("shares its group with the next one, that finds nothing left to close", async () => {
    const world = awsWorld();
    await world.provider.spawn({ ...isolated, key: "a" });
    await world.another().spawn({ ...isolated, key: "b" });
    expect(ours(world)).toHaveLength(1);
  });
});
