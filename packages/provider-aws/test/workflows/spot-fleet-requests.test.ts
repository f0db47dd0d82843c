import { describe, expect, test } from "vitest";
import { refusedWith } from "../world.ts";
import { flowWorld, runKilled, workflowFailure } from "./flows.ts";

const SPECS = ["m5.large", "m6i.large"];
const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];
const input = { spawn: {}, specs: SPECS, count: 1 };
const XML = { "content-type": "text/xml;charset=UTF-8" };

type World = ReturnType<typeof flowWorld>;

const run = (world: World, more: Partial<typeof input> = {}, killAt: string[] = [], restMs = 0) =>
  runKilled(world, ({ workflows }) => workflows.spotFleet, { ...input, ...more }, killAt, "run", restMs);
const withoutSpot = (world: World): void => {
  for (const zone of ZONES) {
    for (const type of SPECS) world.emulator.control.setCapacity({ zone, type, market: "spot" }, 0);
  }
};

/** EC2 answers with success and makes nothing: each choice of the request is refused with one of these codes one after the other. */
function refusing(...codes: readonly string[]) {
  const asked: string[] = [];
  const world = flowWorld(
    {},
    {
      wire: async ({ action, parameters }, send) => {
        if (action !== "CreateFleet") return await send();
        const part = (at: number, name: string) =>
          parameters.get(`LaunchTemplateConfigs.1.Overrides.${at}.${name}`) ?? undefined;
        const market = parameters.get("TargetCapacitySpecification.DefaultTargetCapacityType") ?? "";
        asked.push(market);
        const items: string[] = [];
        for (let at = 1; part(at, "SubnetId") !== undefined; at += 1) {
          const overrides = `<instanceType>${part(at, "InstanceType")}</instanceType><subnetId>${part(at, "SubnetId")}</subnetId>`;
          const place = `<launchTemplateAndOverrides><overrides>${overrides}</overrides></launchTemplateAndOverrides>`;
          const code = codes[at % codes.length];
          items.push(`<item>${place}<lifecycle>${market}</lifecycle><errorCode>${code}</errorCode></item>`);
        }
        const body = `<requestId>1</requestId><fleetId>fleet-1</fleetId><errorSet>${items.join("")}</errorSet><fleetInstanceSet/>`;
        return new Response(`<CreateFleetResponse>${body}</CreateFleetResponse>`, { headers: XML });
      },
    },
  );
  return { ...world, asked };
}
const unavailable = ({ events }: World) =>
  events.flatMap((event) => (event.type === "offering.unavailable" ? [event.offering] : []));

describe("a fleet's request", () => {
  test("leaves the choice of a place on spot to EC2's price and capacity, and keeps to our order on demand", async () => {
    const world = flowWorld();
    withoutSpot(world);
    await run(world);
    const [spot, onDemand] = world.sent("CreateFleet").map(({ parameters }) => parameters);
    expect(spot?.get("SpotOptions.AllocationStrategy")).toBe("price-capacity-optimized");
    expect(spot?.get("SpotOptions.InstanceInterruptionBehavior")).toBe("terminate");
    expect(onDemand?.get("OnDemandOptions.AllocationStrategy")).toBe("prioritized");
    expect(onDemand?.get("LaunchTemplateConfigs.1.Overrides.2.Priority")).toBe("1");
    expect(spot?.get("ClientToken")).not.toBe(onDemand?.get("ClientToken"));
  });

  test.each([
    [["t3.large", "t3.xlarge"], "standard"],
    [["t3.large", "m5.large"], null],
  ] as const)("of %j says %s of CPU credits", async (specs, credits) => {
    const world = flowWorld();
    await run(world, { specs: [...specs] });
    const [template] = world.sent("CreateLaunchTemplate");
    expect(template?.parameters.get("LaunchTemplateData.CreditSpecification.CpuCredits") ?? null).toBe(credits);
  });

  test("tags the disks as those of an instance: they are no volumes", async () => {
    const world = flowWorld();
    await run(world);
    expect(world.emulator.control.volumes()).toHaveLength(1);
    expect(await world.provider.listVolumes({ owner: "*" })).toEqual([]);
  });

  test("is not made again where the member is there and EC2 has forgotten the token", async () => {
    const world = flowWorld();
    const { members } = await run(world, {}, ["ran:launch member 1"], 13 * 3_600_000);
    expect(world.live()).toHaveLength(1);
    expect(members[0]?.instanceId).toBe(`us-east-1/${world.live()[0]?.id.split("/").at(-1)}`);
  });

  test.each([
    ["spec", "m5.large"],
    ["resources", { cpus: 2 }],
    ["gpu", { count: 1 }],
    ["spot", { maxUsdPerHour: 0.002 }],
    ["maxUsdPerHour", 0.002],
    ["hibernation", true],
    ["volumes", [{ id: "us-east-1/vol-0123456789abcdef0", mountPath: "/data" }]],
    ["warmVolume", "data"],
    ["network", { isolated: true }],
    ["key", "k"],
  ])("takes no %s: nothing is left out in silence", async (name, value) => {
    const world = flowWorld();
    await expect(run(world, { spawn: { [name]: value } })).rejects.toThrow(name === "network" ? "isolated" : name);
    expect(world.emulator.control.requests).toEqual([]);
  });

  test("takes what spawn takes, and refuses what spawn refuses before any request", async () => {
    const world = flowWorld();
    const error = await workflowFailure(run(world, { spawn: { ports: [{ port: 99_999 }] } }));
    expect(error.cause).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(world.emulator.control.requests).toEqual([]);
  });
});

describe("a fleet that EC2 refuses", () => {
  test("as a whole, for a quota of spot, is launched on demand", async () => {
    const world = flowWorld();
    const row = "MaxSpotInstanceCountExceeded";
    world.emulator.control.faults.add({ operation: "CreateFleet", when: "before", row });
    expect((await run(world)).members).toMatchObject([{ market: "on-demand" }]);
  });

  test("as a whole, for a quota that its own first try has used up, is the instance of that try", async () => {
    let asked = 0;
    const world = flowWorld(
      { readLagMs: 10_000 },
      {
        readAfterWriteMs: 11_000,
        wire: async ({ action }, send) => {
          if (action !== "CreateFleet") return await send();
          asked += 1;
          if (asked > 1) return refusedWith("MaxSpotInstanceCountExceeded");
          await send();
          throw new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
        },
      },
    );
    const { members } = await run(world);
    expect(asked).toBe(2);
    const live = world.live().map(({ id, zone, lifecycle }) => [id, zone, lifecycle]);
    expect(live).toEqual(members.map((one) => [one.instanceId.split("/").at(-1), one.zone, "spot"]));
  });

  test("as a whole, for anything else, fails", async () => {
    const world = flowWorld();
    world.emulator.control.faults.add({ operation: "CreateFleet", when: "before", row: "MaxFleetCountExceeded" });
    expect((await workflowFailure(run(world))).cause).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
    expect(world.live()).toEqual([]);
  });

  test("in every place for what is no lack of capacity fails with that, and not on demand too", async () => {
    const world = refusing("UnauthorizedOperation");
    expect((await workflowFailure(run(world))).cause).toMatchObject({ code: "AUTH_ERROR", effect: "none" });
    expect(world.asked).toEqual(["spot"]);
  });

  test.each(["AuthFailure.ServiceLinkedRoleCreationNotPermitted", "Unsupported"])(
    "in every place for %s, which on-demand may not have, is asked for on demand",
    async (code) => {
      const world = refusing(code);
      await workflowFailure(run(world));
      expect(world.asked).toEqual(["spot", "on-demand"]);
    },
  );

  test.each(["the request", "each place"])(
    "in %s because its template is not known yet is asked again",
    async (where) => {
      const code = "InvalidLaunchTemplateName.NotFoundException";
      let left = 2;
      const world = flowWorld(
        {},
        {
          wire: async ({ action }, send) => {
            if (action !== "CreateFleet" || left === 0) return await send();
            left -= 1;
            if (where === "the request") return refusedWith(code);
            const errors = `<errorSet><item><errorCode>${code}</errorCode></item></errorSet><fleetInstanceSet/>`;
            return new Response(`<CreateFleetResponse><requestId>1</requestId>${errors}</CreateFleetResponse>`, {
              headers: XML,
            });
          },
        },
      );
      expect((await run(world)).members).toMatchObject([{ market: "spot" }]);
      expect(world.live()).toHaveLength(1);
    },
  );

  test("for a quota of the region remembers the machine type in all of it", async () => {
    const world = refusing("VcpuLimitExceeded");
    await workflowFailure(run(world));
    expect(unavailable(world)).toContain("on-demand:m5.large:us-east-1");
  });

  test("for a quota in every place ends with the quota", async () => {
    const world = refusing("VcpuLimitExceeded");
    const { cause } = await workflowFailure(run(world));
    expect(cause).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none", exhausted: true });
  });

  test("for several reasons has no capacity", async () => {
    const world = refusing("InsufficientInstanceCapacity", "VcpuLimitExceeded");
    expect((await workflowFailure(run(world))).cause).toMatchObject({ code: "CAPACITY_ERROR", effect: "none" });
  });

  test("for want of addresses remembers the subnets, whatever the machine type", async () => {
    const world = refusing("InsufficientFreeAddressesInSubnet");
    await workflowFailure(run(world));
    expect(unavailable(world)).not.toEqual([]);
    for (const name of unavailable(world)) expect(name).toMatch(/^\*:\*:subnet-/);
  });

  test("for the quota of spot remembers spot as such", async () => {
    const world = refusing("MaxSpotInstanceCountExceeded");
    await workflowFailure(run(world));
    expect(unavailable(world)).toContain("spot:*:us-east-1");
  });

  test("for lack of capacity remembers the machine type in its zone", async () => {
    const world = refusing("InsufficientInstanceCapacity");
    await workflowFailure(run(world));
    expect(unavailable(world)).toContain("spot:m5.large:us-east-1a");
    expect(unavailable(world)).toContain("on-demand:m6i.large:us-east-1c");
  });
});

test("user data that EC2 repeats in a refusal of the template shows nowhere", async () => {
  const secret = "hunter2-in-the-script";
  let encoded = "";
  const world = flowWorld(
    {},
    {
      wire: async ({ action, parameters }, send) => {
        if (action !== "CreateLaunchTemplate") return await send();
        encoded = parameters.get("LaunchTemplateData.UserData") ?? "";
        const plain = Buffer.from(encoded, "base64").toString().replaceAll(/[<&]/g, " ");
        return refusedWith("InvalidParameterValue", `Value (${plain}) for UserData is invalid, ${encoded}`);
      },
    },
  );
  const spawn = { bootstrap: { script: "true", environment: { TOKEN: secret } } };
  const error = await workflowFailure(run(world, { spawn }));
  expect(encoded.length).toBeGreaterThan(100);
  const { cause } = error;
  const inner = cause instanceof Error ? cause.cause : undefined;
  const told = [error, cause, inner].map((one) => `${String(one)} ${JSON.stringify(one)}`).join("\n");
  expect(told).not.toContain(secret);
  expect(told).not.toContain(encoded.slice(0, 60));
  expect(told).toContain("[redacted]");
});
