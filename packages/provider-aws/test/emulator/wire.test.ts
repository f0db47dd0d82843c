import {
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { type Ec2EmulatorSettings, ec2Emulator, serve } from "../../emulator/index.ts";
import { codeOf, ec2Client, IMAGE } from "./sdk.ts";

const LAUNCH: RunInstancesCommandInput = { ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 };

function world(settings: Ec2EmulatorSettings = {}, region = "us-east-1") {
  const emulator = ec2Emulator({ latencyMs: 0, ...settings });
  const client = ec2Client(emulator, region);
  return { emulator, client, launch: () => client.send(new RunInstancesCommand(LAUNCH)) };
}

/** A request as no SDK would send it. */
async function raw(body: string, headers: Record<string, string> = {}, settings: Ec2EmulatorSettings = {}) {
  const { fetch } = ec2Emulator(settings);
  const scope = "Credential=AKIAEMULATOREMULATOR/20260101/us-east-1/ec2/aws4_request";
  const response = await fetch("https://ec2.us-east-1.amazonaws.com/", {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 ${scope}`, ...headers },
    body,
  });
  const code = /<Code>(.*)<\/Code><Message>(.*)<\/Message>/s.exec(await response.text());
  return { status: response.status, code: code?.[1], message: code?.[2] };
}

describe("a request", () => {
  const version = "Version=2016-11-15";

  it("is refused where it breaks the protocol", async () => {
    expect(await raw(version)).toMatchObject({ status: 400, code: "MissingAction" });
    expect(await raw(`Action=Fly&${version}`)).toMatchObject({ status: 400, code: "InvalidAction" });
    expect(await raw("Action=DescribeInstances&Version=2000-01-01")).toMatchObject({ code: "InvalidAction" });
    expect(await raw(`Action=__proto__&${version}`)).toMatchObject({ code: "InvalidAction" });
    expect(await raw(`Action=GetCallerIdentity&${version}`)).toMatchObject({ code: "InvalidAction" });
    expect(await raw(`Action=DescribeInstances&${version}&Nonsense=1`)).toEqual({
      status: 400,
      code: "UnknownParameter",
      message: "The parameter Nonsense is not recognized",
    });
    expect(
      await raw(`Action=DescribeInstances&${version}&Filter.1.Wrong=x&Filter.1.Name=a&Filter.1.Value.1=b`),
    ).toMatchObject({
      code: "UnknownParameter",
    });
    expect(await raw(`Action=DescribeInstances&${version}&Filter.x.Name=a`)).toMatchObject({
      code: "InvalidParameterValue",
    });
    expect(await raw(`Action=DescribeInstances&${version}&Filter=a&Filter.1.Name=b`)).toMatchObject({
      code: "MalformedQueryString",
    });
    expect(await raw(`Action=TerminateInstances&${version}`)).toMatchObject({
      code: "MissingParameter",
      message: "The request must contain the parameter InstanceId",
    });
    expect(await raw(`Action=TerminateInstances&${version}&InstanceId.1=nonsense`)).toMatchObject({
      code: "InvalidInstanceID.Malformed",
    });
    expect(await raw(`Action=RunInstances&${version}&MinCount=one&MaxCount=1`)).toMatchObject({
      code: "InvalidParameterValue",
    });
    expect(await raw(`Action=DescribeInstances&${version}&__proto__.x=1`)).toMatchObject({ code: "UnknownParameter" });
  });

  it("is refused where nobody known sends it, or where the account is not", async () => {
    const body = `Action=DescribeInstances&${version}`;
    expect(await raw(body, { authorization: "" })).toMatchObject({ status: 403, code: "MissingAuthenticationToken" });
    expect(await raw(body, {}, { credentials: [] })).toMatchObject({ status: 401, code: "AuthFailure" });
    expect(await codeOf(world({}, "ap-south-1").launch())).toBe("OptInRequired");
    const { emulator, launch } = world();
    emulator.control.denied.add("RunInstances");
    expect(await codeOf(launch())).toBe("UnauthorizedOperation");
  });
});

describe("the token buckets", () => {
  it("let through what is documented, in each region and for each action", async () => {
    const { emulator, launch, client } = world();
    const codes = await Promise.all(Array.from({ length: 7 }, () => codeOf(launch())));
    expect(codes.filter((code) => code === "none")).toHaveLength(5);
    expect(codes.filter((code) => code === "RequestLimitExceeded")).toHaveLength(2);
    expect(await codeOf(client.send(new DescribeInstancesCommand({ MaxResults: 5 })))).toBe("none");
    await emulator.clock.sleep(500);
    expect([await codeOf(launch()), await codeOf(launch())]).toEqual(["none", "RequestLimitExceeded"]);
    expect(await codeOf(ec2Client(emulator, "us-west-2").send(new RunInstancesCommand(LAUNCH)))).toBe("none");
  });

  it("hold less for lists without filter and pages, and count instances", async () => {
    const { client } = world();
    const passed = async (count: number, send: () => Promise<unknown>) => {
      const codes = await Promise.all(Array.from({ length: count }, () => codeOf(send())));
      return codes.filter((code) => code === "none").length;
    };
    expect(await passed(60, () => client.send(new DescribeVolumesCommand({})))).toBe(50);
    expect(await passed(110, () => client.send(new DescribeVolumesCommand({ MaxResults: 5 })))).toBe(100);
    const many = (count: number) =>
      client.send(new RunInstancesCommand({ ...LAUNCH, MinCount: count, MaxCount: count }));
    expect([await codeOf(many(700)), await codeOf(many(400))]).toEqual(["none", "RequestLimitExceeded"]);
  });

  it("can be larger, or absent", async () => {
    const count = async (limits: number | null) => {
      const { launch } = world({ limits });
      const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf(launch())));
      return codes.filter((code) => code === "none").length;
    };
    expect([await count(4), await count(null)]).toEqual([20, 40]);
  });
});

describe("a fault", () => {
  it("stands before the effect, or after it, or takes the answer away", async () => {
    const { emulator, launch } = world();
    const { faults, control } = emulator;
    faults.add({ operation: "spawn", when: "before", row: "InsufficientInstanceCapacity" });
    expect(await codeOf(launch())).toBe("InsufficientInstanceCapacity");
    expect(control.instances()).toHaveLength(0);
    faults.add({ operation: "RunInstances", when: "after", code: "UNAVAILABLE" });
    expect(await codeOf(launch())).toBe("InternalError");
    expect(control.instances()).toHaveLength(1);
    faults.add({ operation: "spawn", when: "reply-lost" });
    await expect(launch()).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
    expect(control.instances()).toHaveLength(2);
    expect(control.requests.map(({ status, code, serves }) => [serves, status, code])).toEqual([
      ["spawn", 500, "InsufficientInstanceCapacity"],
      ["spawn", 500, "InternalError"],
      ["spawn", 0, "ECONNRESET"],
    ]);
  });

  it("stands at the method that asks, though methods share an action", async () => {
    const { emulator, client } = world();
    const read = (more: object) => codeOf(client.send(new DescribeInstancesCommand(more)));
    emulator.faults.add({ operation: "list", when: "before", row: "Unavailable" });
    expect(await read({ Filters: [{ Name: "tag:Name", Values: ["x"] }] })).toBe("none");
    expect(await read({ InstanceIds: ["i-0123456789abcdef0"] })).toBe("InvalidInstanceID.NotFound");
    expect(await read({ Filters: [{ Name: "tag:slipway:owner", Values: ["me"] }], MaxResults: 1_000 })).toBe(
      "Unavailable",
    );
  });

  it("hangs until the caller gives up, and does what was asked all the same", async () => {
    const { emulator, client } = world();
    const [id = ""] = [(await client.send(new RunInstancesCommand(LAUNCH))).Instances?.[0]?.InstanceId];
    emulator.faults.add({ operation: "terminate", when: "after", row: "answer-timeout" });
    const giveUp = new AbortController();
    const work = client.send(new TerminateInstancesCommand({ InstanceIds: [id] }), { abortSignal: giveUp.signal });
    await emulator.clock.sleep(60_000);
    giveUp.abort(new Error("enough"));
    await expect(work).rejects.toThrow("aborted");
    expect(emulator.control.instances()[0]?.live).toBe(false);
  });
});

describe("control", () => {
  it("adds unmanaged machines, crashes, protects, impairs zones and sees changes", async () => {
    const { emulator, client, launch } = world();
    const { control } = emulator;
    const unmanaged = control.addUnmanaged("by-hand");
    expect(control.hasUnmanaged(unmanaged)).toBe(true);
    const before = control.changes();
    await launch();
    expect(control.changes()).toBeGreaterThan(before);
    const made = control.instances().find(({ nativeId }) => nativeId !== unmanaged);
    await emulator.clock.sleep(30_000);
    control.crash(made?.nativeId ?? "");
    expect(control.instances().find(({ id }) => id === made?.id)).toMatchObject({ live: false, status: "terminated" });
    expect(control.volumes().map(({ attachment }) => attachment?.instanceId)).toEqual([unmanaged.split("/")[1]]);
    control.protect(unmanaged, true);
    const end = new TerminateInstancesCommand({ InstanceIds: [unmanaged.split("/")[1] ?? ""] });
    expect(await codeOf(client.send(end))).toBe("OperationNotPermitted");
    control.setImpaired(control.instances().find(({ nativeId }) => nativeId === unmanaged)?.zone ?? "", true);
    expect(await codeOf(client.send(end))).toBe("InternalError");
    control.setState(unmanaged, "stopped", { code: "Server.InternalError", message: "gone wrong" });
    expect(control.hasUnmanaged(unmanaged)).toBe(false);
  });
});

describe("a served emulator", () => {
  it("is reached by other processes under every service's name", async () => {
    const server = await serve({ speed: 1_000, latencyMs: 0 });
    try {
      expect(server.variables).toMatchObject({ AWS_ENDPOINT_URL: server.baseUrl, AWS_REGION: "us-east-1" });
      const fetchThere: typeof fetch = (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        return fetch(`${server.baseUrl}${url.pathname}`, init);
      };
      const made = await ec2Client({ fetch: fetchThere }).send(new RunInstancesCommand(LAUNCH));
      expect(server.emulator.control.instances()[0]?.id).toBe(made.Instances?.[0]?.InstanceId);
    } finally {
      await server.close();
    }
  });
});
