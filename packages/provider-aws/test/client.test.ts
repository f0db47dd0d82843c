import "@aws-sdk/client-ec2";
import { type ErrorCode, type ErrorEffect, isProviderError, type ProviderError } from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import { awsClient } from "../src/client.ts";

const SECRET = "wJalrXUtnFEMI-not-a-real-key";
const credentials = { accessKeyId: "AKIATEST", secretAccessKey: SECRET };
const xml = { "content-type": "text/xml;charset=UTF-8" };

function over(fetch: typeof globalThis.fetch, share = 1) {
  const clock = simulatedClock();
  return { clock, client: awsClient({ owner: "tests", credentials, share, runtime: { clock, fetch } }) };
}

function answering(...answers: readonly (() => Response | Promise<Response>)[]) {
  let asked = 0;
  const fetch: typeof globalThis.fetch = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    return await (answer?.() ?? new Response(null));
  };
  return { fetch, asked: () => asked };
}

const ok =
  (action: string, inner = "") =>
  () =>
    new Response(`<${action}Response>${inner}</${action}Response>`, { headers: xml });
const refused =
  (code: string, status: number, message = "no") =>
  () =>
    new Response(
      `<?xml version="1.0"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>7</RequestID></Response>`,
      { status, headers: xml },
    );
const broken = (code: string) => (): never => {
  throw Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(code), { code }) });
};

const call = { operation: "spawn" };
const write = { MinCount: 1, MaxCount: 1, ImageId: "ami-1" };

async function failed(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  if (isProviderError(error)) return error;
  throw new Error(`no ProviderError: ${String(error)}`);
}

describe("an answer to a write", () => {
  test.each<readonly [string, () => Response, ErrorCode, ErrorEffect]>([
    [
      "a refusal for want of capacity, HTTP 500",
      refused("InsufficientInstanceCapacity", 500),
      "CAPACITY_ERROR",
      "none",
    ],
    ["a quota", refused("VcpuLimitExceeded", 400), "QUOTA_EXCEEDED", "none"],
    ["an internal error", refused("InternalError", 500), "UNAVAILABLE", "unknown"],
    ["an unheard-of error", refused("MoonFellDown", 400), "INTERNAL", "unknown"],
    ["a page with HTTP 500", () => new Response("<html>sorry</html>", { status: 500 }), "UNAVAILABLE", "unknown"],
    ["a page with HTTP 403", () => new Response("<html>blocked</html>", { status: 403 }), "INTERNAL", "unknown"],
    ["a page with HTTP 200", () => new Response("<html>hello</html>"), "INTERNAL", "unknown"],
    ["nothing with HTTP 200", () => new Response(""), "INTERNAL", "unknown"],
    ["a cut answer", () => new Response("<RunInstancesResponse><inst", { headers: xml }), "INTERNAL", "applied"],
    ["another action's answer", ok("DescribeInstances"), "INTERNAL", "applied"],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "http://x" } }), "INTERNAL", "unknown"],
    ["no connection", broken("ECONNREFUSED"), "NETWORK", "none"],
    ["a broken connection", broken("ECONNRESET"), "NETWORK", "unknown"],
  ])("%s", async (_name, answer, code, effect) => {
    const { fetch } = answering(answer);
    const error = await failed(over(fetch).client.send(call, "us-east-1", "RunInstances", write));
    expect([error.code, error.effect, error.operation, error.provider]).toEqual([code, effect, "spawn", "aws"]);
  });

  test("is asked for once where it is not known what became of it", async () => {
    for (const answer of [
      refused("InternalError", 500),
      refused("InsufficientInstanceCapacity", 500),
      broken("ECONNRESET"),
    ]) {
      const { fetch, asked } = answering(answer);
      await failed(over(fetch).client.send(call, "us-east-1", "RunInstances", write));
      expect(asked()).toBe(1);
    }
  });

  test("that never comes ends in its time with effect unknown", async () => {
    const { client, clock } = over((_url, init) => {
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    });
    const begun = clock.now();
    const error = await failed(client.send(call, "us-east-1", "RunInstances", write));
    expect([error.code, error.effect]).toEqual(["TIMEOUT", "unknown"]);
    expect(clock.now() - begun).toBe(120_000);
  });
});

describe("a throttled request", () => {
  test("is sent again until it is taken, without the caller seeing it", async () => {
    const throttled = refused("RequestLimitExceeded", 503);
    const { fetch, asked } = answering(throttled, throttled, ok("RunInstances"));
    const { client, clock } = over(fetch);
    const begun = clock.now();
    await client.send(call, "us-east-1", "RunInstances", write);
    expect(asked()).toBe(3);
    expect(clock.now() - begun).toBeGreaterThanOrEqual(1_500);
  });

  test("is given up after six", async () => {
    const { fetch, asked } = answering(refused("RequestLimitExceeded", 503));
    const error = await failed(over(fetch).client.send(call, "us-east-1", "DescribeVpcs", {}));
    expect([error.code, error.effect, asked()]).toEqual(["RATE_LIMIT_ERROR", "none", 6]);
  });
});

describe("many that were throttled at once", () => {
  test("are sent one after the other from then on", async () => {
    const clock = simulatedClock();
    const count = 6;
    let [asked, inFlight, most] = [0, 0, 0];
    const fetch: typeof globalThis.fetch = async () => {
      asked += 1;
      if (asked <= count) return refused("RequestLimitExceeded", 503)();
      inFlight += 1;
      most = Math.max(most, inFlight);
      await clock.sleep(100);
      inFlight -= 1;
      return ok("DescribeVpcs")();
    };
    const client = awsClient({ owner: "tests", credentials, share: 1, runtime: { clock, fetch } });
    await Promise.all(Array.from({ length: count }, () => client.send(call, "us-east-1", "DescribeVpcs", {})));
    expect([asked, most]).toEqual([2 * count, 1]);
  });
});

describe("a request that a wrong clock has signed", () => {
  test.each(["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"])(
    "%s is signed again, once, also where it writes",
    async (code) => {
      const { fetch, asked } = answering(refused(code, 400), ok("RunInstances"));
      await over(fetch).client.send(call, "us-east-1", "RunInstances", write);
      expect(asked()).toBe(2);
      const always = answering(refused(code, 400));
      await failed(over(always.fetch).client.send(call, "us-east-1", "RunInstances", write));
      expect(always.asked()).toBe(2);
    },
  );
});

describe("a read", () => {
  test("that fails in passing is made again", async () => {
    const { fetch, asked } = answering(refused("Unavailable", 503), broken("ECONNRESET"), ok("DescribeVpcs"));
    await over(fetch).client.send(call, "us-east-1", "DescribeVpcs", {});
    expect(asked()).toBe(3);
  });

  test("is never taken from a page of something in between", async () => {
    const { fetch } = answering(
      () => new Response("<html>welcome</html>", { headers: { "content-type": "text/html" } }),
    );
    const error = await failed(over(fetch).client.send({ operation: "list" }, "us-east-1", "DescribeInstances", {}));
    expect([error.code, error.effect]).toEqual(["INTERNAL", "none"]);
  });

  test("of the price list is no page either", async () => {
    const { fetch } = answering(() => new Response("<html>welcome</html>"));
    const error = await failed(over(fetch).client.pricing(call, "GetProducts", { ServiceCode: "AmazonEC2" }));
    expect(error.code).toBe("INTERNAL");
  });
});

describe("aborting", () => {
  test("before the turn has come sends nothing", async () => {
    const { fetch, asked } = answering(ok("RunInstances"));
    const { client } = over(fetch);
    const signal = AbortSignal.abort();
    const error = await failed(client.send({ ...call, signal }, "us-east-1", "RunInstances", write));
    expect([error.code, error.effect, asked()]).toEqual(["CANCELLED", "none", 0]);
  });

  test("on the way says that the outcome is unknown", async () => {
    const controller = new AbortController();
    const { client } = over((_url, init) => {
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        controller.abort();
      });
    });
    const error = await failed(client.send({ ...call, signal: controller.signal }, "us-east-1", "RunInstances", write));
    expect([error.code, error.effect]).toEqual(["CANCELLED", "unknown"]);
  });
});

test("the budget of launches is the published one: 5 at once, then 2 a second", async () => {
  const { fetch } = answering(ok("RunInstances"));
  const { client, clock } = over(fetch);
  const begun = clock.now();
  await Promise.all(Array.from({ length: 25 }, () => client.send(call, "us-east-1", "RunInstances", write)));
  expect(clock.now() - begun).toBe(10_000);
  await client.send(call, "eu-west-1", "RunInstances", write);
  expect(clock.now() - begun).toBe(10_000);
});

test("no secret shows, whatever AWS repeats", async () => {
  const { fetch } = answering(refused("InvalidParameterValue", 400, `not ${SECRET} and not s3cr3t-user-data`));
  const secrets = ["s3cr3t-user-data"];
  const error = await failed(over(fetch).client.send(call, "us-east-1", "RunInstances", write, { secrets }));
  expect(error.message).toContain("[redacted]");
  expect(`${error.message} ${String(error.cause)}`).not.toMatch(/wJalr|s3cr3t/);
});

test("credentials that are not there are AUTH_ERROR with the way to them", async () => {
  const variables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "HOME", "AWS_EC2_METADATA_DISABLED"];
  const before = variables.map((name) => [name, process.env[name]] as const);
  for (const name of variables) Reflect.deleteProperty(process.env, name);
  process.env["AWS_EC2_METADATA_DISABLED"] = "true";
  process.env["HOME"] = "/nonexistent";
  try {
    const { fetch, asked } = answering(ok("DescribeVpcs"));
    const client = awsClient({ owner: "tests", runtime: { clock: simulatedClock(), fetch } });
    const error = await failed(client.send({ operation: "onStartup" }, "us-east-1", "DescribeVpcs", {}));
    expect([error.code, error.effect, asked()]).toEqual(["AUTH_ERROR", "none", 0]);
    expect(error.hint).toContain("AWS_ACCESS_KEY_ID");
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
});
