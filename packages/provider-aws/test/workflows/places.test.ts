import { describe, expect, test } from "vitest";
import { awsWorld, failure, refusedWith, type Wire } from "../world.ts";
import { flowWorld, runKilled, until, workflowFailure } from "./flows.ts";

const input = { spawn: { spec: "m5.large" } };
const NO_CAPACITY = { code: "Server.InsufficientInstanceCapacity", message: "Insufficient capacity." };

describe("what spawn refuses is refused before the first request", () => {
  const sshKeys = ["ssh-ed25519 AAAA\nroot: true"];
  const bootstrap = { content: "#!/bin/sh\n", format: "shell", checksum: `sha256:${"0".repeat(64)}`, byteLength: 10 };
  test.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["an unknown option", { spec: "t3.micro", nonsense: true }],
    ["a port that is none", { spec: "t3.micro", ports: [{ port: 99_999 }] }],
    ["a label that is no text", { spec: "t3.micro", labels: { a: 5 } }],
    ["a script whose checksum is another's", { spec: "t3.micro", bootstrap }],
    ["a price that is no number", { spec: "t3.micro", maxUsdPerHour: "cheap" }],
    ["an option that EC2 has not", { spec: "t3.micro", tailscale: { authKey: "x" } }],
    ["both ways to name a machine", { spec: "t3.micro", resources: { cpus: 64 } }],
    ["a key of two lines", { spec: "t3.micro", sshKeys }],
    ["an end that is no time", { spec: "t3.micro", expiresAt: "never" }],
  ])("%s", async (_name, spawn) => {
    const world = flowWorld();
    // As a caller without types writes it.
    const given: object = { spawn };
    const flow = runKilled(world, ({ workflows }) => workflows.multiAz, given as typeof input, []);
    const { cause } = await workflowFailure(flow);
    const direct = await failure(awsWorld().provider.spawn({ key: "k", ...(spawn as typeof input.spawn) }));
    expect(cause).toMatchObject({ code: direct.code, effect: "none" });
    expect(world.emulator.control.requests).toEqual([]);
  });
});

describe("zones", () => {
  test("that do not exist are a wrong input, and no lack of capacity", async () => {
    const world = flowWorld();
    const flow = runKilled(world, ({ workflows }) => workflows.multiAz, { ...input, zones: ["us-east-1q"] }, []);
    expect((await workflowFailure(flow)).cause).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });

  test("that accept an instance and end it for lack of capacity are left for the next, and remembered", async () => {
    const world = flowWorld({ bootMs: 20_000 });
    const flow = runKilled(world, ({ workflows }) => workflows.multiAz, input, []);
    const [first] = await until(() => world.live().length === 1 && world.live(), world);
    world.emulator.control.setState(first?.id ?? "", "terminated", NO_CAPACITY);
    const { zone, attempts } = await flow;
    expect(attempts).toEqual([
      { zone: first?.zone, outcome: "CAPACITY_ERROR" },
      { zone, outcome: "ok" },
    ]);
    expect(world.live().map((one) => one.zone)).toEqual([zone]);
    expect(world.events.filter(({ type }) => type === "offering.unavailable")).toHaveLength(1);
  });

  test("are not left for an instance that broke: the run fails, and leaves nothing", async () => {
    const world = flowWorld({ bootMs: 20_000 });
    const flow = workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, input, []));
    const [first] = await until(() => world.live().length === 1 && world.live(), world);
    world.emulator.control.crash(first?.id ?? "");
    expect((await flow).cause).toMatchObject({ code: "INVALID_STATE", effect: "applied" });
    expect(world.emulator.control.instances()).toHaveLength(1);
    expect(world.live()).toEqual([]);
  });
});

describe("where it is not known what was made", () => {
  test("a quota that refuses the repetition is no proof of nothing: there is one instance", async () => {
    const world = flowWorld({ readLagMs: 2_900 });
    const { faults } = world.emulator.control;
    faults.add({ operation: "RunInstances", when: "reply-lost" });
    faults.add({ operation: "RunInstances", when: "before", row: "MaxSpotInstanceCountExceeded" });
    const spawn = { ...input.spawn, spot: {} };
    const { zone } = await runKilled(world, ({ workflows }) => workflows.multiAz, { spawn }, []);
    await world.emulator.clock.sleep(30_000);
    expect(world.live().map((one) => one.zone)).toEqual([zone]);
  });

  test("nor is it where another process has launched it just now", async () => {
    const other = { launch: async (_key: string, _subnet: string): Promise<void> => undefined };
    let isFirst = true;
    const wire: Wire = async ({ action, parameters }, send) => {
      if (action !== "RunInstances" || !isFirst) return await send();
      isFirst = false;
      const texts = [...parameters.values()];
      const key = texts[texts.indexOf("slipway:key") + 1] ?? "";
      await other.launch(key, parameters.get("SubnetId") ?? "");
      return refusedWith("MaxSpotInstanceCountExceeded");
    };
    const world = flowWorld({ readLagMs: 2_900 }, { wire });
    const spawn = { ...input.spawn, spot: {} };
    other.launch = async (key, subnet) => {
      await world.provider.spawn({ ...spawn, key, region: "us-east-1", network: { subnet } });
    };
    const { zone } = await runKilled(world, ({ workflows }) => workflows.multiAz, { spawn }, []);
    expect(isFirst).toBe(false);
    expect(world.live().map((one) => one.zone)).toEqual([zone]);
  });

  test("a run that gives up goes on looking for it, and ends it", async () => {
    const world = flowWorld({ readLagMs: 2_500 });
    const { faults } = world.emulator.control;
    faults.add({ operation: "RunInstances", when: "before", row: "connection-reset", times: 3 });
    faults.add({ operation: "RunInstances", when: "reply-lost" });
    await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, input, []));
    expect(world.emulator.control.instances()).toHaveLength(1);
    expect(world.live()).toEqual([]);
  });

  test("no other place is asked once something was made", async () => {
    const world = flowWorld();
    const { id } = await world.provider.createVolume({ key: "v", sizeBytes: 1024 ** 3, zone: "us-east-1b" });
    await world.emulator.clock.sleep(5_000);
    const row = "InsufficientVolumeCapacity";
    world.emulator.control.faults.add({ operation: "AttachVolume", when: "before", row, times: 10 });
    const spawn = { ...input.spawn, volumes: [{ id, mountPath: "/data" }] };
    const error = await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, { spawn }, []));
    expect(error.cause).toMatchObject({ effect: "applied" });
    expect(world.emulator.control.instances()).toHaveLength(1);
    expect(world.live()).toEqual([]);
  });
});
