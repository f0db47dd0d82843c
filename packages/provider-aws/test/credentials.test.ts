import "@aws-sdk/client-ec2";
import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { aws } from "../src/index.ts";
import { failure } from "./world.ts";

const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
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
