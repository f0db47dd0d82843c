import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { isProviderError, type Pacing, type RemoteDate, type RuntimeEvent, type Schema } from "@slipway/core";
import { afterEach, describe, expect, test } from "vitest";
import { simulatedClock } from "../../src/emulator/index.ts";
import { type AnswerMeaning, type HttpCall, type HttpClientOptions, httpClient } from "../../src/http/index.ts";

const KEY = "key-that-nobody-may-see";

const anything: Schema<unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};
const named: Schema<{ readonly name: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "object" && value !== null && "name" in value && typeof value.name === "string"
        ? { value: { name: value.name } }
        : { issues: [{ message: "no name" }] },
  },
};

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}

/** A client whose remote is a function, and what was sent to it. */
function world(
  answer: (sent: Sent, count: number) => Response | Promise<Response>,
  over: Partial<HttpClientOptions> = {},
) {
  const clock = simulatedClock();
  const sent: Sent[] = [];
  const events: RuntimeEvent[] = [];
  const waits: { readonly operation: string; readonly ms: number }[] = [];
  let blockedUntil = 0;
  const limits: Pacing = {
    acquire: async (_bucket, options) => {
      const ms = blockedUntil - clock.now();
      if (ms > 0) await clock.sleep(ms, options?.signal);
    },
    defer: (bucket, ms) => {
      waits.push({ operation: bucket.operation, ms });
      blockedUntil = clock.now() + ms;
    },
  };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const record = {
      url: input instanceof Request ? input.url : String(input),
      method: init?.method ?? "GET",
      headers: new Headers(init?.headers),
    };
    sent.push(record);
    return answer(record, sent.length);
  };
  const client = httpClient({
    provider: "cloud",
    baseUrl: "https://api.example.test/v1/",
    account: "a",
    credentials: () => ({ authorization: `Bearer ${KEY}` }),
    secrets: () => [KEY],
    userAgent: "slipway/1",
    meaningOf: () => undefined,
    limits,
    runtime: { clock, fetch, onEvent: (event) => events.push(event) },
    ...over,
  });
  return { client, sent, clock, events, waits };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const html = (status: number): Response =>
  new Response("<!DOCTYPE html><title>error 1010</title>", { status, headers: { "content-type": "text/html" } });

const read: HttpCall<unknown> = { method: "GET", path: "things", answer: anything, operation: "list" };
const write: HttpCall<unknown> = {
  method: "POST",
  path: "things",
  body: { a: 1 },
  answer: anything,
  operation: "spawn",
};

async function failureOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isProviderError(error)) throw new Error(`expected a ProviderError, got ${String(error)}`);
  return error;
}

describe("a request", () => {
  test("carries the credential, the agent, the query and the body, and decodes what the schema knows", async () => {
    const { client, sent } = world(() => json({ name: "x", later: "added" }));
    const answer = await client.call({ ...read, query: { region: "eu west", none: undefined }, answer: named });
    expect(answer).toEqual({ name: "x" });
    expect(sent[0]?.url).toBe("https://api.example.test/v1/things?region=eu+west");
    expect(sent[0]?.headers.get("authorization")).toBe(`Bearer ${KEY}`);
    expect(sent[0]?.headers.get("user-agent")).toBe("slipway/1");
  });

  test("that redirects inside the host keeps the credential; to another host it is dropped", async () => {
    const { client, sent } = world((_sent, count) => {
      if (count === 1) return new Response(null, { status: 301, headers: { location: "/v2/things" } });
      if (count === 2) return new Response(null, { status: 302, headers: { location: "https://other.test/things" } });
      return json({});
    });
    await client.call(read);
    expect(sent.map(({ headers }) => headers.has("authorization"))).toEqual([true, true, false]);
  });

  test.each([
    ["301", 301, "https://api.example.test/v2", "a write was answered with redirect 301"],
    ["307 to another host", 307, "https://other.test/", "another host"],
  ])(
    "that writes does not follow a %s, and says that the outcome is unknown",
    async (_title, status, location, text) => {
      const { client, sent } = world(() => new Response(null, { status, headers: { location } }));
      const failure = await failureOf(client.call(write));
      expect(failure).toMatchObject({ code: "INTERNAL", effect: "unknown" });
      expect(failure.message).toContain(text);
      expect(sent).toHaveLength(1);
    },
  );

  test("never follows a redirect down to plain http, nor a loop", async () => {
    const down = world(() => new Response(null, { status: 302, headers: { location: "http://api.example.test/" } }));
    expect((await failureOf(down.client.call(read))).message).toContain("not encrypted");
    const loop = world(() => new Response(null, { status: 302, headers: { location: "/again" } }));
    expect((await failureOf(loop.client.call(read))).message).toContain("more than 5 times");
    expect(loop.sent).toHaveLength(6);
  });
});

describe("retries", () => {
  test("a read is tried again after a server fault, with growing pauses", async () => {
    const { client, sent, clock, events } = world((_sent, count) => (count < 4 ? json({}, 503) : json({ ok: true })));
    const begun = clock.now();
    expect(await client.call(read)).toEqual({ ok: true });
    expect(sent).toHaveLength(4);
    expect(clock.now() - begun).toBe(10_500);
    expect(events.filter(({ type }) => type === "wait")).toHaveLength(3);
  });

  test("a write is not tried again when its outcome is unknown", async () => {
    const { client, sent } = world(() => json({}, 500));
    expect(await failureOf(client.call(write))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
    expect(sent).toHaveLength(1);
  });

  test("a write that was refused for its rate waits as long as the remote says, on the shared budget", async () => {
    const { client, sent, clock, waits } = world((_sent, count) =>
      count === 1 ? json({}, 429, { "retry-after": "7" }) : json({ ok: true }),
    );
    const begun = clock.now();
    expect(await client.call(write)).toEqual({ ok: true });
    expect(clock.now() - begun).toBe(7_000);
    expect(waits).toEqual([{ operation: "spawn", ms: 7_000 }]);
    expect(sent).toHaveLength(2);
  });

  test("a write whose connection was refused was never sent, and is tried again", async () => {
    const { client, sent } = world((_sent, count) => {
      if (count > 1) return json({ ok: true });
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }) });
    });
    expect(await client.call(write)).toEqual({ ok: true });
    expect(sent).toHaveLength(2);
  });

  test("a write whose connection broke is unknown, and not sent twice", async () => {
    const { client, sent } = world(() => {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
    });
    const failure = await failureOf(client.call(write));
    expect(failure).toMatchObject({ code: "NETWORK", effect: "unknown", native: { code: "ECONNRESET" } });
    expect(sent).toHaveLength(1);
  });

  test("capacity is the caller's to vary: it is not tried again here", async () => {
    const meaningOf = (): AnswerMeaning => ({ code: "CAPACITY_ERROR", effect: "none", nativeCode: "none-left" });
    const { client, sent } = world(() => json({}, 400), { meaningOf });
    expect(await failureOf(client.call(write))).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement" });
    expect(sent).toHaveLength(1);
  });
});

describe("the time and the signal", () => {
  const never = (_sent: Sent): Promise<Response> => new Promise(() => undefined);

  test("a call that gets no answer is TIMEOUT with the true effect", async () => {
    const hanging: typeof globalThis.fetch = (_input, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)),
      );
    const clock = simulatedClock();
    const { client } = world(never, { runtime: { clock, fetch: hanging }, attempts: 1 });
    expect(await failureOf(client.call({ ...write, timeoutMs: 5_000 }))).toMatchObject({
      code: "TIMEOUT",
      effect: "unknown",
    });
    expect(await failureOf(client.call({ ...read, timeoutMs: 5_000 }))).toMatchObject({
      code: "TIMEOUT",
      effect: "none",
    });
  });

  test("an abort while waiting for the budget did nothing", async () => {
    const controller = new AbortController();
    const { client, sent, clock } = world(() => json({}, 429, { "retry-after": "60" }));
    clock.sleep(1_000).then(
      () => controller.abort(),
      () => undefined,
    );
    const failure = await failureOf(client.call({ ...write, signal: controller.signal }));
    expect(failure).toMatchObject({ code: "CANCELLED", effect: "none" });
    expect(sent).toHaveLength(1);
  });
});

describe("answers that are not the API's", () => {
  test.each([
    ["an HTML page with 403", () => html(403), "INTERNAL", "HTML page"],
    ["an HTML page with 502", () => html(502), "UNAVAILABLE", ""],
    [
      "truncated JSON",
      () => new Response('{"data":', { headers: { "content-type": "application/json" } }),
      "INTERNAL",
      "not JSON",
    ],
    ["nothing", () => new Response("", { headers: { "content-type": "application/json" } }), "INTERNAL", "empty"],
    [
      "another charset than it says",
      () =>
        new Response(new Uint8Array([0x7b, 0xff, 0x7d]), {
          headers: { "content-type": "application/json; charset=utf-8" },
        }),
      "INTERNAL",
      "not utf-8",
    ],
    [
      "a charset that does not exist",
      () => new Response("{}", { headers: { "content-type": "application/json; charset=klingon" } }),
      "INTERNAL",
      "not klingon",
    ],
  ])("%s is a typed error", async (_title, answer, code, text) => {
    const failure = await failureOf(world(answer, { attempts: 1 }).client.call({ ...read, answer: named }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(text);
  });

  test("a body without end is cut off", async () => {
    let produced = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            produced += 65_536;
            controller.enqueue(new Uint8Array(65_536));
          },
        }),
      );
    const { client } = world(endless, { maxAnswerBytes: 1_000_000 });
    expect((await failureOf(client.call(read))).message).toContain("larger than 1000000 bytes");
    expect(produced).toBeLessThan(2_000_000);
  });

  test("a success that cannot be decoded was applied, if the API itself answered", async () => {
    const asJson = world(() => json({ nam: "x" }));
    expect(await failureOf(asJson.client.call({ ...write, answer: named }))).toMatchObject({ effect: "applied" });
    const page = world(() => html(200));
    expect(await failureOf(page.client.call({ ...write, answer: named }))).toMatchObject({ effect: "unknown" });
  });
});

describe("secrets", () => {
  test("neither the credential nor a call's own secret shows in an error or an event", async () => {
    const meaningOf = (): AnswerMeaning => ({
      code: "INVALID_SPEC",
      effect: "none",
      nativeMessage: `bad header ${KEY} and user data hunter2hunter2`,
    });
    const { client, events } = world(() => json({}, 400), { meaningOf });
    const failure = await failureOf(client.call({ ...write, secrets: ["hunter2hunter2"] }));
    const text = JSON.stringify([failure, failure.message, failure.stack, events]);
    expect(text).not.toContain(KEY);
    expect(text).not.toContain("hunter2hunter2");
    expect(failure.message).toContain("[redacted]");
  });

  test("nor in what a proxy repeats in a header, nor in the cause of a broken connection", async () => {
    const repeated = world(() => json({}, 400, { "x-request-id": `of ${KEY}` }));
    const refused = await failureOf(repeated.client.call(read));
    expect(refused.native).toEqual({ status: 400, requestId: "of [redacted]" });
    const unusable = world(() => json({}, 200, { "x-request-id": KEY }));
    expect((await failureOf(unusable.client.call({ ...read, answer: named }))).native?.requestId).toBe("[redacted]");

    const inner = Object.assign(new Error(`invalid header Bearer ${KEY}`), { code: "ERR_INVALID_CHAR" });
    const broken = world(() => {
      throw new TypeError("fetch failed", { cause: Object.assign(inner, { headers: { authorization: KEY } }) });
    });
    const failure = await failureOf(broken.client.call(write));
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(KEY);
    expect(failure).toMatchObject({ cause: { message: "fetch failed", cause: { code: "ERR_INVALID_CHAR" } } });
  });

  test("a cause without a secret stays the object that it is", async () => {
    const cause = new TypeError("fetch failed");
    const { client } = world(() => {
      throw cause;
    });
    expect((await failureOf(client.call(write))).cause).toBe(cause);
  });
});

describe("against a real server", () => {
  let server: Server | undefined;
  afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))));

  async function served(listener: RequestListener): Promise<ReturnType<typeof world>["client"]> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    // listen() on a port answers an AddressInfo
    const { port } = server.address() as AddressInfo;
    return world(() => json({}), { baseUrl: `http://127.0.0.1:${port}/`, runtime: {}, attempts: 1 }).client;
  }

  test("a connection that breaks within the answer to a write leaves the outcome unknown", async () => {
    const client = await served((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write('{"name":');
      response.socket?.destroySoon();
    });
    expect(await failureOf(client.call(write))).toMatchObject({ code: "NETWORK", effect: "unknown" });
  });

  test("a port where nobody listens: never sent", async () => {
    const client = await served((_request, response) => response.end());
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    server = undefined;
    expect(await failureOf(client.call(write))).toMatchObject({ code: "NETWORK", effect: "none" });
  });
});

describe("how long a header may halt an account", () => {
  const DAY = { "retry-after": "86400" };

  test("a success that asks for a day halts for five minutes at most", async () => {
    const { client, waits } = world(() => json({}, 200, DAY));
    await client.call(read);
    expect(waits).toEqual([{ operation: "list", ms: 300_000 }]);
  });

  test("after a 429 that asks for a day the call fails at once, and the next one waits, but no longer", async () => {
    const { client, waits, clock } = world((_sent, count) => (count === 1 ? json({}, 429, DAY) : json({})));
    const begun = clock.now();
    await expect(client.call(read)).rejects.toMatchObject({ code: "RATE_LIMIT_ERROR", retryAfterMs: 86_400_000 });
    expect(clock.now()).toBe(begun);
    expect(waits).toEqual([{ operation: "list", ms: 300_000 }]);
    await client.call(read);
    expect(clock.now() - begun).toBe(300_000);
  });

  test("pacing that minds no signal holds no call longer than its own", async () => {
    const limits: Pacing = { acquire: () => new Promise<never>(() => undefined), defer: () => undefined };
    const { client, sent } = world(() => json({}), { limits });
    const controller = new AbortController();
    const ended = client.call({ ...write, operation: "terminate", signal: controller.signal });
    controller.abort();
    await expect(ended).rejects.toMatchObject({ code: "CANCELLED", effect: "none" });
    expect(sent).toEqual([]);
  });
});

describe("the remote's clock", () => {
  test("each answer's `Date` is reported, with the time it took; one out of a cache is not", async () => {
    const dates: RemoteDate[] = [];
    const answers = [
      json({}, 200, { date: "Thu, 01 Jan 2026 10:00:00 GMT" }),
      json({}, 200, { date: "Thu, 01 Jan 2026 10:00:00 GMT", age: "30" }),
      json({}, 200, { date: "never" }),
      json({}),
      json({}, 400, { date: "Thu, 01 Jan 2026 10:00:05 GMT" }),
    ];
    const clock = simulatedClock();
    const fetch: typeof globalThis.fetch = async () => {
      await clock.sleep(250);
      return answers.shift() ?? json({});
    };
    const { client } = world(() => json({}), {
      runtime: { clock, fetch, onRemoteDate: (date) => dates.push(date) },
    });
    const start = clock.now();
    for (let call = 0; call < 4; call += 1) await client.call(read);
    await failureOf(client.call(read));
    expect(dates.map(({ date }) => new Date(date).toISOString())).toEqual([
      "2026-01-01T10:00:00.000Z",
      "2026-01-01T10:00:05.000Z",
    ]);
    expect(dates[0]).toMatchObject({ provider: "cloud", sentAt: start, receivedAt: start + 250 });
  });
});
