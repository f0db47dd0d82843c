import "@aws-sdk/client-ec2";
import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { aws, register } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";
import { awsWorld, failure } from "./world.ts";

const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
});

test.each([
  ["AWS_REGION", { AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "eu-central-1" }],
  ["AWS_DEFAULT_REGION", { AWS_REGION: "", AWS_DEFAULT_REGION: "us-west-2" }],
])("the factory reads what register reads: keys, address and %s", async (_name, region) => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) Reflect.deleteProperty(process.env, name);
  const variables = {
    ...region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL: "http://127.0.0.1:7",
  };
  Object.assign(process.env, variables);
  const { emulator } = awsWorld();
  const urls: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    urls.push(String(input));
    return await emulator.fetch(input, init);
  };
  const runtime = { ...runtimeOf(emulator), fetch };
  const { provider } = await register({}, { owner: "tests", variables, runtime });
  for (const one of [provider, aws({ owner: "tests", runtime })]) {
    expect((await one.listRegions()).map(({ id }) => id)).toEqual(["us-west-2"]);
    expect(urls.splice(0).every((url) => url.startsWith("http://127.0.0.1:7/"))).toBe(true);
  }
});

test("the factory without any credentials says so at its first call, and throws nothing before", async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) Reflect.deleteProperty(process.env, name);
  process.env["HOME"] = "/nonexistent";
  process.env["AWS_EC2_METADATA_DISABLED"] = "true";
  expect(await failure(aws({ owner: "tests", runtime: runtimeOf(awsWorld().emulator) }).list())).toMatchObject({
    code: "AUTH_ERROR",
    effect: "none",
  });
});

test("credentials that never come end with the call, and not after it", async () => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  const server = createServer(() => onAsked());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) Reflect.deleteProperty(process.env, name);
  process.env["HOME"] = "/nonexistent";
  process.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = `http://127.0.0.1:${address.port}/credentials`;
  try {
    const controller = new AbortController();
    const error = failure(aws({ owner: "tests", regions: ["us-east-1"] }).list({}, { signal: controller.signal }));
    await asked;
    controller.abort();
    expect(await error).toMatchObject({ code: "CANCELLED", effect: "none" });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
