import { gunzipSync } from "node:zlib";
import { DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { checksumOf, nameFor } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { CREDENTIALS } from "./aws-harness.ts";
import { ec2Client } from "./emulator/sdk.ts";
import { awsWorld, failure, refusedWith, through } from "./world.ts";

const spec = { spec: "t3.micro" } as const;

describe("the launch", () => {
  test("tags all that it makes in the call that makes it, and asks for what is safe", async () => {
    const { provider, sent } = awsWorld();
    await provider.spawn({ ...spec, key: "k", name: "web", labels: { team: "blue" } });
    const [{ parameters } = { parameters: new URLSearchParams() }] = sent("RunInstances");
    const value = (name: string): string | null => parameters.get(name);
    expect(value("MetadataOptions.HttpTokens")).toBe("required");
    // A container in the machine is one hop farther away.
    expect(value("MetadataOptions.HttpPutResponseHopLimit")).toBe("2");
    expect(value("BlockDeviceMapping.1.Ebs.Encrypted")).toBe("true");
    expect(value("BlockDeviceMapping.1.Ebs.DeleteOnTermination")).toBe("true");
    expect(value("ClientToken")).toMatch(/^[0-9a-f]{64}$/);
    expect(value("SecurityGroupId.1")).toBeNull();
    expect(value("InstanceMarketOptions.MarketType")).toBeNull();
    const kinds = [1, 2, 3, 4].map((at) => value(`TagSpecification.${at}.ResourceType`));
    expect(kinds).toEqual(["instance", "network-interface", "volume", null]);
    const tags = Object.fromEntries(
      Array.from({ length: 10 }, (_, at) => [
        value(`TagSpecification.1.Tag.${at + 1}.Key`),
        value(`TagSpecification.1.Tag.${at + 1}.Value`),
      ]),
    );
    expect(tags).toMatchObject({
      "slipway:owner": "tests",
      "slipway:key": "k",
      "slipway:name": "web",
      "slipway:generation": "0",
      Name: nameFor("tests", "k"),
      team: "blue",
    });
  });

  test("tags a spot request only where there is one", async () => {
    const { provider, sent } = awsWorld();
    await provider.spawn({ ...spec, spot: {} });
    const kinds = [1, 2, 3, 4].map((at) =>
      sent("RunInstances")[0]?.parameters.get(`TagSpecification.${at}.ResourceType`),
    );
    expect(kinds).toContain("spot-instances-request");
    expect(sent("RunInstances")[0]?.parameters.get("InstanceMarketOptions.SpotOptions.SpotInstanceType")).toBe(
      "one-time",
    );
  });

  test("is the same request from every process, and another one for the next generation", async () => {
    const world = awsWorld();
    const options = { ...spec, key: "k", bootstrap: { script: "echo hi", registrationToken: "first" } };
    const { id } = await world.provider.spawn(options);
    await world.provider.terminate(id);
    await world.emulator.clock.sleep(60_000);
    await world.another().spawn(options);
    const [first, second] = world.sent("RunInstances").map(({ parameters }) => parameters.get("ClientToken"));
    expect(first).not.toBe(second);
    const found = await world.provider.list({ keys: ["k"] });
    expect(found.map(({ generation }) => generation)).toEqual([1]);
  });

  test("goes to ARM's image for an ARM machine type", async () => {
    const { provider, sent } = awsWorld();
    const { architecture } = await provider.spawn({ spec: "t4g.micro" });
    expect(architecture).toBe("arm64");
    expect(sent("GetParameter")).toHaveLength(1);
  });

  test("resolves the default image once for many", async () => {
    const { provider, sent } = awsWorld();
    for (let at = 0; at < 3; at += 1) await provider.spawn(spec);
    expect(sent("GetParameter")).toHaveLength(1);
  });

  test("asks for the default image again after an hour: new ones come", async () => {
    const { provider, sent, emulator } = awsWorld();
    await provider.spawn(spec);
    await emulator.clock.sleep(3_600_000);
    await provider.spawn(spec);
    expect(sent("GetParameter")).toHaveLength(2);
  });

  test("goes to the first of a network's subnets by id, whatever their order in EC2's answer", async () => {
    const world = awsWorld();
    const { Subnets = [] } = await ec2Client(world.emulator, "us-east-1", CREDENTIALS).send(
      new DescribeSubnetsCommand({}),
    );
    const [first] = Subnets.map(({ SubnetId = "" }) => SubnetId).toSorted();
    const network = { id: Subnets[0]?.VpcId ?? "" };
    const turned = through(world, async ({ action }, send) => {
      const answer = await send();
      if (action !== "DescribeSubnets") return answer;
      const text = await answer.text();
      const items = text.match(/<item><subnetId>[\s\S]*?<\/item>(?=<item><subnetId>|<\/subnetSet>)/g) ?? [];
      expect(items).toHaveLength(3);
      const body = text.replace(items.join(""), items.toReversed().join(""));
      return new Response(body, { status: answer.status, headers: answer.headers });
    });
    for (const provider of [world.provider, turned]) await provider.spawn({ ...spec, network });
    expect(world.sent("RunInstances").map(({ parameters }) => parameters.get("SubnetId"))).toEqual([first, first]);
  });

  test.each([
    [{ image: "ubuntu" }, /image/],
    [{ image: "ami-0123456789abcdef0" }, /there is no ami-0123456789abcdef0/],
    [{ image: "/no/such/parameter" }, /./],
    [{ spec: "t3.nonesuch" }, /./],
    [{ labels: { Name: "x" } }, /reserved/],
    [{ labels: { "aws:x": "y" } }, /aws:/],
    [{ labels: { a: "x".repeat(257) } }, /257/],
    [{ fromSnapshot: "us-east-1/ami-0123456789abcdef0" }, /there is no/],
    [{ region: "eu-west-1" }, /not configured/],
    [{ network: { subnet: "public" } }, /network.subnet/],
    [{ network: { isolated: true }, ports: [{ port: 80 }] }, /isolated/],
  ])("refuses %j with nothing made", async (options, message) => {
    const { provider, emulator } = awsWorld();
    const error = await failure(provider.spawn({ ...spec, ...options }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toMatch(message);
    expect(emulator.control.instances()).toEqual([]);
  });

  test("refuses a mapped port: EC2 maps none", async () => {
    const error = await failure(awsWorld().provider.spawn({ ...spec, ports: [{ port: 80, hostPort: 8080 }] }));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  });
});

describe("EC2's memory of tokens", () => {
  test("an instance that ended unseen makes the next generation", async () => {
    const world = awsWorld({ readLagMs: 20_000 });
    const options = { ...spec, key: "k" };
    const { id, nativeId } = await world.provider.spawn(options);
    // Ended just now, and no listing of another process shows that there was one.
    await world
      .another()
      .terminate(id)
      .catch(() => undefined);
    world.emulator.control.setState(nativeId, "terminated");
    const again = await world.another().spawn(options);
    expect(again.nativeId).not.toBe(nativeId);
    expect(again.generation).toBe(1);
  });

  test("another process's spec under the key is refused by EC2 itself, before any listing shows it", async () => {
    const world = awsWorld({ readLagMs: 4_000 });
    await world.provider.spawn({ ...spec, key: "k" });
    const error = await failure(world.another().spawn({ spec: "t3.small", key: "k" }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(world.emulator.control.instances()).toHaveLength(1);
  });

  test("a token that stands for a request with an older image answers what that one made", async () => {
    const world = awsWorld({ readLagMs: 4_000 });
    const options = { ...spec, key: "k", bootstrap: { script: "true", registrationToken: "first-token-0001" } };
    const { id } = await world.provider.spawn(options);
    const rotated = { ...options, bootstrap: { script: "true", registrationToken: "second-token-002" } };
    expect((await world.another().spawn(rotated)).id).toBe(id);
    expect(world.emulator.control.instances()).toHaveLength(1);
  });
});

describe("user data", () => {
  const decoded = (encoded: string | null | undefined): Buffer => Buffer.from(encoded ?? "", "base64");

  test("goes as it is up to 16 384 bytes, compressed above", async () => {
    const { provider, sent } = awsWorld();
    const script = (bytes: number): string => `#!/bin/sh\n${"#".repeat(bytes - 10)}`;
    const shell = (content: string) => ({
      content,
      format: "shell" as const,
      checksum: checksumOf(content),
      byteLength: content.length,
    });
    await provider.spawn({ ...spec, bootstrap: shell(script(16_384)) });
    await provider.spawn({ ...spec, bootstrap: shell(script(16_385)) });
    const [plain, packed] = sent("RunInstances").map(({ parameters }) => decoded(parameters.get("UserData")));
    expect(plain?.toString()).toBe(script(16_384));
    expect(packed?.byteLength).toBeLessThan(1_000);
    expect(gunzipSync(packed ?? "").toString()).toBe(script(16_385));
  });

  test("that EC2 repeats in a refusal shows nowhere", async () => {
    let encoded = "";
    const provider = through(awsWorld(), async ({ action, parameters }, send) => {
      if (action !== "RunInstances") return await send();
      encoded = parameters.get("UserData") ?? "";
      const plain = decoded(encoded).toString().replaceAll(/[<&]/g, " ");
      return refusedWith("InvalidParameterValue", `Value (${plain}) for UserData is invalid, ${encoded}`);
    });
    const bootstrap = { script: "true", environment: { TOKEN: "hunter2-in-the-script" } };
    const error = await failure(provider.spawn({ ...spec, bootstrap }));
    expect(encoded.length).toBeGreaterThan(100);
    const told = `${error.message} ${String(error.cause)} ${JSON.stringify(error)}`;
    expect(told).toContain("[redacted]");
    expect(told).not.toContain("hunter2-in-the-script");
    expect(told).not.toContain(encoded.slice(0, 60));
  });

  test("has the keys and the caller's script as parts that cloud-init takes apart", async () => {
    const { provider, sent } = awsWorld();
    const sshKeys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKey me@laptop"];
    await provider.spawn({ ...spec, sshKeys, bootstrap: { script: "echo hello" } });
    const message = decoded(sent("RunInstances")[0]?.parameters.get("UserData")).toString();
    const [head = "", ...parts] = message.split(/--slipway-part-[0-9a-f]+(?:--)?\n/);
    expect(head).toContain("multipart/mixed");
    const bodies = parts.slice(0, 2).map((part) => decoded(part.split("\n\n")[1]).toString());
    expect(bodies[0]).toContain(sshKeys[0]);
    expect(bodies[1]).toMatch(/^#cloud-config/);
  });
});
