import { isProviderError, type Schema } from "@slipway/core";
import { expect, test } from "vitest";
import { simulatedClock } from "../../src/emulator/index.ts";
import { type HttpCall, type HttpClientOptions, httpClient } from "../../src/http/index.ts";

const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};
const read: HttpCall<unknown> = { method: "GET", path: "things/t-1", answer: anything, operation: "get" };
const end: HttpCall<unknown> = { method: "DELETE", path: "things/t-1", answer: anything, operation: "terminate" };

function clientOf(answer: () => Response, over: Partial<HttpClientOptions> = {}) {
  return httpClient({
    provider: "cloud",
    baseUrl: "https://api.example.test/v1/",
    account: "a",
    credentials: () => ({}),
    secrets: () => [],
    userAgent: "slipway/1",
    meaningOf: () => undefined,
    isNotFound: ({ text }) => text.includes("no such thing"),
    limits: { acquire: async () => undefined, defer: () => undefined },
    runtime: { clock: simulatedClock(), fetch: async () => answer() },
    ...over,
  });
}

const own = (): Response => Response.json({ message: "no such thing" }, { status: 404 });

test("find gives null where the remote itself says that the thing is not there", async () => {
  const client = clientOf(own);
  expect(await client.find(read)).toBeNull();
  expect(await client.find(end)).toBeNull();
});

test("call throws NOT_FOUND there, unless the provider's table says better", async () => {
  await expect(clientOf(own).call(end)).rejects.toMatchObject({ code: "NOT_FOUND", effect: "none" });
  const meaningOf = () => ({ code: "INVALID_SPEC", effect: "none" }) as const;
  await expect(clientOf(own, { meaningOf }).call(end)).rejects.toMatchObject({ code: "INVALID_SPEC" });
  expect(await clientOf(own, { meaningOf }).find(end)).toBeNull();
});

test.each([
  ["a gateway without the route", () => Response.json({ message: "no Route matched" }, { status: 404 })],
  ["an empty object", () => Response.json({}, { status: 404 })],
  ["a page", () => new Response("<html>Not Found</html>", { status: 404 })],
  ["nothing", () => new Response(null, { status: 404 })],
])("a 404 with %s is nobody's word that the thing is gone", async (_, answer) => {
  // Also where the provider's own table takes every 404.
  for (const meaning of [undefined, { code: "NOT_FOUND", effect: "none" }] as const) {
    const client = clientOf(answer, { meaningOf: () => meaning });
    for (const [call, effect] of [
      [read, "none"],
      [end, "unknown"],
    ] as const) {
      for (const asked of [client.find(call), client.call(call)]) {
        const error: unknown = await asked.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(isProviderError(error) && [error.code, error.effect]).toEqual(["INTERNAL", effect]);
        expect(String(error)).toContain("404");
      }
    }
  }
});

test("a 404 with a code of the remote's own means what the table says of that code", async () => {
  const meaningOf = () => ({ code: "UNAVAILABLE", effect: "unknown", nativeCode: "launch/busy" }) as const;
  await expect(clientOf(() => Response.json({}, { status: 404 }), { meaningOf }).find(end)).rejects.toMatchObject({
    code: "UNAVAILABLE",
    effect: "unknown",
  });
});
