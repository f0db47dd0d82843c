import type { Schema } from "@slipway/core";
import { expect, test } from "vitest";
import { simulatedClock } from "../../src/emulator/index.ts";
import { type CredentialSource, credentialOf, type HttpCall, httpClient } from "../../src/http/index.ts";

const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};
const write: HttpCall<unknown> = { method: "POST", path: "things", answer: anything, operation: "spawn" };

/** A remote that lets one key in, and what it was sent. */
function world(source: CredentialSource, good: string) {
  const sent: (string | null)[] = [];
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const key = new Headers(init?.headers).get("authorization");
    sent.push(key);
    return Response.json({}, { status: key === `Bearer ${good}` ? 200 : 401 });
  };
  const credential = credentialOf(source);
  const client = httpClient({
    provider: "cloud",
    baseUrl: "https://api.example.test/v1/",
    account: credential.account,
    credentials: async () => ({ authorization: `Bearer ${await credential.current()}` }),
    renew: credential.renew,
    secrets: credential.secrets,
    userAgent: "slipway/1",
    meaningOf: () => undefined,
    limits: { acquire: async () => undefined, defer: () => undefined },
    runtime: { clock: simulatedClock(), fetch },
  });
  return { client, sent, credential };
}

test("a function is asked once, and once more after AUTH_ERROR", async () => {
  let asked = 0;
  const { client, sent } = world(() => `key-${(asked += 1)}`, "key-2");
  await client.call(write);
  await client.call(write);
  expect(sent).toEqual(["Bearer key-1", "Bearer key-2", "Bearer key-2"]);
  expect(asked).toBe(2);
});

test("not more than once, and neither key shows", async () => {
  let asked = 0;
  const { client, sent } = world(async () => `key-${(asked += 1)}`, "none");
  await expect(client.call(write)).rejects.toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  expect(sent).toEqual(["Bearer key-1", "Bearer key-2"]);
});

test("a text is sent once", async () => {
  const { client, sent, credential } = world("fixed", "none");
  await expect(client.call(write)).rejects.toMatchObject({ code: "AUTH_ERROR" });
  expect(sent).toEqual(["Bearer fixed"]);
  expect(credential.account).not.toContain("fixed");
  expect(credential.secrets()).toEqual(["fixed"]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("the vault is closed");
    },
  ],
  ["gives nothing", () => ""],
  ["gives what no header can hold", () => "two\nlines"],
])("a function that %s is AUTH_ERROR with effect none, and nothing is sent", async (_, source) => {
  const { client, sent } = world(source, "good");
  await expect(client.call(write)).rejects.toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  expect(sent).toEqual([]);
});

test("a function that hangs holds no call longer than its own time", async () => {
  const { client } = world(() => new Promise(() => undefined), "good");
  await expect(client.call({ ...write, timeoutMs: 5_000 })).rejects.toMatchObject({ code: "TIMEOUT", effect: "none" });
});

test("calls at once share one question for the credential", async () => {
  let asked = 0;
  const { client } = world(async () => `key-${(asked += 1)}`, "key-1");
  await Promise.all([client.call(write), client.call(write), client.call(write)]);
  expect(asked).toBe(1);
});
