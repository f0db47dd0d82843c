import { isProviderError, type ProviderError, type Schema } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { simulatedClock } from "../../src/emulator/index.ts";
import { type HttpClientOptions, httpClient } from "../../src/http/index.ts";

const KEY = "key-that-nobody-may-see";
const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};

/** What a call comes to where every answer is the same, how often it was sent, and how long it took. */
async function refused(
  answer: () => Response,
  over: Partial<HttpClientOptions> = {},
): Promise<{ readonly failure: ProviderError; readonly sent: number; readonly tookMs: number }> {
  const clock = simulatedClock();
  const begun = clock.now();
  let sent = 0;
  const fetch: typeof globalThis.fetch = async () => {
    sent += 1;
    return answer();
  };
  const limits = { acquire: async () => undefined, defer: () => undefined };
  const client = httpClient({
    provider: "cloud",
    baseUrl: "https://api.example.test/v1/",
    account: "a",
    credentials: () => ({ authorization: `Bearer ${KEY}` }),
    secrets: () => [KEY],
    userAgent: "slipway/1",
    meaningOf: () => undefined,
    limits,
    runtime: { clock, fetch },
    ...over,
  });
  try {
    await client.call({ method: "GET", path: "things", answer: anything, operation: "list" });
  } catch (error) {
    if (isProviderError(error)) return { failure: error, sent, tookMs: clock.now() - begun };
    throw error;
  }
  throw new Error("the call resolved");
}

describe("how long a client waits by itself", () => {
  const later = (seconds: number, status: number) => () =>
    Response.json({}, { status, headers: { "retry-after": `${seconds}` } });

  test.each([429, 503])("a Retry-After of a day on %i is told, and not waited for", async (status) => {
    const { failure, sent, tookMs } = await refused(later(86_400, status));
    expect(failure).toMatchObject({ retryable: true, retryAfterMs: 86_400_000 });
    expect({ sent, tookMs }).toEqual({ sent: 1, tookMs: 0 });
  });

  test("a Retry-After of a minute is waited for", async () => {
    const { sent, tookMs } = await refused(later(60, 503));
    expect({ sent, tookMs }).toEqual({ sent: 4, tookMs: 180_000 });
  });
});

test("a secret at the place where a long message is cut does not show in part", async () => {
  const message = `${"x".repeat(490)}${KEY}`;
  const meaningOf = () => ({ code: "INVALID_SPEC", effect: "none", nativeMessage: message }) as const;
  const { failure } = await refused(() => Response.json({}, { status: 400 }), { meaningOf });
  expect(failure.message).not.toContain(KEY.slice(0, 4));
});

test("a redirect to what is no address is not a failure of the network", async () => {
  const { failure, sent } = await refused(() => new Response(null, { status: 302, headers: { location: "http://[" } }));
  expect(failure).toMatchObject({ code: "INTERNAL", effect: "none" });
  expect(sent).toBe(1);
});
