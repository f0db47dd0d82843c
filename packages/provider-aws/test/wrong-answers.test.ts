import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { codeOfReason, meaningOf } from "../src/errors.ts";
import { awsWorld, failure, through, type Wire } from "./world.ts";

const GIB = 1024 ** 3;
const XML = { "content-type": "text/xml;charset=UTF-8" };

/** EC2 with a state of its own for every instance that runs; a filter by the known states lets none of them through. */
const unheardOf: Wire = async ({ action, parameters }, send) => {
  if (action !== "DescribeInstances") return await send();
  const named = [...parameters].find(([, value]) => value === "instance-state-name")?.[0];
  const answer = await send((given) => {
    if (named === undefined) return;
    const values = named.replace("Name", "Value.");
    for (const name of [...given.keys()]) if (name.startsWith(values)) given.set(name, "terminated");
  });
  const text = (await answer.text()).replaceAll("<name>running</name>", "<name>quarantined</name>");
  return new Response(text, { status: answer.status, headers: XML });
};

describe("an instance in a state that nobody has heard of", () => {
  test("is listed, as unknown: it may be billed", async () => {
    const world = awsWorld({ bootMs: 0 });
    const { id } = await world.provider.spawn({ key: "k", spec: "t3.micro" });
    const provider = through(world, unheardOf);
    expect(await provider.list()).toMatchObject([{ id, status: "unknown", state: "quarantined" }]);
    expect(await provider.list({ keys: ["k"] })).toMatchObject([{ id }]);
  });

  test("is what stands under its key", async () => {
    const world = awsWorld({ bootMs: 0 });
    const { id } = await world.provider.spawn({ key: "k", spec: "t3.micro" });
    expect((await through(world, unheardOf).spawn({ key: "k", spec: "t3.micro" })).id).toBe(id);
  });

  test("ended ones are left out all the same", async () => {
    const world = awsWorld({ bootMs: 0, endMs: 0, readLagMs: 0 });
    const { id } = await world.provider.spawn({ key: "k", spec: "t3.micro" });
    await world.provider.terminate(id);
    expect(await world.provider.list()).toEqual([]);
  });
});

test("a volume whose holder is ending is busy for a while; one whose holder runs is a wrong spec", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 60_000, readLagMs: 0 });
  const { id } = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone: "us-east-1a" });
  await world.emulator.clock.sleep(10_000);
  const volumes = [{ id, mountPath: "/data" }];
  const holder = await world.provider.spawn({ key: "first", spec: "t3.micro", volumes });
  const taken = await failure(world.provider.spawn({ key: "second", spec: "t3.micro", volumes }));
  expect(taken).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  await world.provider.terminate(holder.id);
  const passing = await failure(world.provider.spawn({ key: "second", spec: "t3.micro", volumes }));
  expect(passing).toMatchObject({ code: "BUSY", effect: "none" });
  expect(passing.retryAfterMs).toBeGreaterThan(0);
  await world.emulator.clock.sleep(60_000);
  expect((await world.provider.spawn({ key: "second", spec: "t3.micro", volumes })).status).toBe("running");
});

describe("codes", () => {
  test.each([
    ["MissingAuthenticationTokenException", "AUTH_ERROR"],
    ["ProvisionedThroughputExceededException", "RATE_LIMIT_ERROR"],
    ["TransactionInProgressException", "RATE_LIMIT_ERROR"],
  ])("%s is %s", (native, code) => {
    expect(meaningOf(native, "", 400, "spawn")?.code).toBe(code);
  });

  test.each([
    ["RequestExpired", ""],
    ["RequestInTheFuture", ""],
    ["RequestTimeTooSkewed", ""],
    ["InvalidSecurity.RequestHasExpired", ""],
    ["AuthFailure", "AWS was not able to validate the provided access credentials"],
    ["InvalidSignatureException", "Signature expired: 20261129T0000Z is now earlier than 20261129T0010Z"],
    ["SignatureDoesNotMatch", "Signature not yet current: 20261129T0010Z is still later than 20261129T0000Z"],
  ])("%s %s says to check the clock", (native, message) => {
    expect(meaningOf(native, message, 403, "spawn")?.hint).toMatch(/clock/);
  });
});

test.each([
  ["value", { note: "half a pair: \ud83d" }],
  ["name", { "\udc00note": "x" }],
])("a lone surrogate in a label's %s is refused before any request", async (_part, labels) => {
  const world = awsWorld();
  const error = await failure(world.provider.spawn({ key: "k", spec: "t3.micro", labels }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(world.emulator.control.requests).toEqual([]);
});

test("a launch that EC2 ends because of the disks' key does not pass by itself", () => {
  const reason = { Code: "Client.InternalError", Message: "Client.InternalError: Client error on launch" };
  expect(codeOfReason(reason)).toBe("AUTH_ERROR");
  expect(codeOfReason({ Code: "Server.InternalError", Message: "Server.InternalError: Internal error" })).toBe(
    "INTERNAL",
  );
});

test("an image that a parameter named within the hour, and that is gone, is asked for again", async () => {
  const world = awsWorld();
  let gone = true;
  const provider = through(world, async ({ action }, send) => {
    if (action !== "GetParameter" || !gone) return await send();
    gone = false;
    return Response.json(
      { Parameter: { Name: "x", Type: "String", Value: "ami-0dead0dead0dead00" } },
      { headers: { "content-type": "application/x-amz-json-1.1" } },
    );
  });
  expect((await provider.spawn({ key: "k", spec: "t3.micro" })).image).toMatch(/^ami-/);
  expect(gone).toBe(false);
});
