import "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { type AwsProvider } from "../src/index.ts";
import { awsWorld, failure } from "./world.ts";

const CALLS: Readonly<Record<string, (provider: AwsProvider, id: string) => Promise<unknown>>> = {
  terminate: (provider, id) => provider.terminate(id),
  hibernate: (provider, id) => provider.hibernate(id),
  resume: (provider, id) => provider.resume(id),
  createSnapshot: (provider, id) => provider.createSnapshot(id, { key: "s" }),
  claimWarmVolume: (provider, id) => provider.claimWarmVolume({ pool: "data", instanceId: id }),
};

test.each(Object.keys(CALLS))("%s leaves an instance alone that Slipway has not made", async (name) => {
  const { provider, emulator } = awsWorld();
  const id = emulator.control.addUnmanaged();
  const before = emulator.control.changes();
  const error = await failure(CALLS[name]?.(provider, id) ?? Promise.resolve());
  expect(error).toMatchObject({ code: "CONFLICT", effect: "none", operation: name });
  expect(emulator.control.changes()).toBe(before);
  expect(emulator.control.hasUnmanaged(id)).toBe(true);
});

test("a machine's clock that is wrong mends itself: the second request is taken", async () => {
  const world = awsWorld();
  const { runtime = {} } = world.options();
  const { fetch = globalThis.fetch } = runtime;
  let refused = 0;
  const skewed: typeof globalThis.fetch = async (input, init) => {
    refused += 1;
    if (refused > 1) return await fetch(input, init);
    const body =
      "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors><RequestID>1</RequestID></Response>";
    return new Response(body, { status: 400, headers: { "content-type": "text/xml" } });
  };
  const provider = world.another({ runtime: { ...runtime, fetch: skewed } });
  expect(await provider.list()).toEqual([]);
});
