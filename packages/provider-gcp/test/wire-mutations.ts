import type { ErrorCode } from "@slipway/core";
import type { SeededRandom } from "@slipway/provider-kit/emulator";

export interface Original {
  readonly status: number;
  readonly text: string;
}

/** What becomes of an answer on its way. */
export interface Mutation {
  readonly kind: string;
  /** What a caller may be told of it; it may also be mended, and the call resolve. */
  readonly codes: readonly ErrorCode[];
  /** A refusal: the request never comes to the remote's program. */
  readonly refuses?: true;
  /** The mutated answer, or the error of a connection that broke. */
  readonly apply: (answer: Original, random: SeededRandom, secrets: readonly string[]) => Response | Error;
}

const json = (body: unknown, status = 200): Response => Response.json(body, { status });
const page = (status: number): Response =>
  new Response("<!DOCTYPE html><p>sorry</p>", { status, headers: { "content-type": "text/html" } });
const broken = (code: string): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("broken"), { code }) });
const refusal = (code: number, reason: string, message: string): Response =>
  json({ error: { code, message, errors: [{ domain: "global", reason, message }] } }, code);
const oneOf = <T>(random: SeededRandom, ...values: readonly [T, ...T[]]): T =>
  values[random.whole(values.length)] ?? values[0];

/** The same JSON with every object in it visited. */
function eachObject(text: string, visit: (record: Record<string, unknown>) => void): Response {
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const member of Object.values(node)) walk(member);
    if (!Array.isArray(node)) visit(node as Record<string, unknown>);
  };
  const body: unknown = JSON.parse(text);
  walk(body);
  return json(body);
}

const OPTIONAL = ["statusMessage", "networkInterfaces", "disks", "guestAccelerators", "creationTimestamp", "warning"];
const VITAL = ["id", "name", "status", "zone", "items"];
const UNREADABLE: readonly ErrorCode[] = ["INTERNAL"];

export const MUTATIONS: readonly Mutation[] = [
  {
    kind: "gateway page",
    codes: ["UNAVAILABLE"],
    apply: (_answer, random) => page(oneOf(random, 500, 502, 503, 504)),
  },
  { kind: "backend error", codes: ["UNAVAILABLE"], apply: () => refusal(503, "backendError", "Backend Error") },
  {
    kind: "throttled",
    codes: ["RATE_LIMIT_ERROR"],
    refuses: true,
    apply: (_answer, random) => oneOf(random, page(429), refusal(403, "rateLimitExceeded", "slow")),
  },
  { kind: "never connected", codes: ["NETWORK"], refuses: true, apply: () => broken("ECONNREFUSED") },
  { kind: "answer lost", codes: ["NETWORK"], apply: (_answer, random) => broken(oneOf(random, "ECONNRESET", "EPIPE")) },
  { kind: "token refused", codes: ["AUTH_ERROR"], refuses: true, apply: () => refusal(401, "authError", "no") },
  {
    kind: "not permitted",
    codes: ["AUTH_ERROR"],
    refuses: true,
    apply: () => refusal(403, "forbidden", "Required 'x' permission"),
  },
  {
    kind: "an unknown reason",
    codes: ["INVALID_SPEC"],
    refuses: true,
    apply: () => refusal(400, "brandNew", "no"),
  },
  {
    kind: "secrets repeated",
    codes: ["INVALID_SPEC"],
    refuses: true,
    apply: (_answer, _random, secrets) => refusal(400, "invalid", `no: ${secrets.join(" ")}`),
  },
  {
    kind: "new fields",
    codes: [],
    apply: ({ text }, random) =>
      eachObject(text, (record) => {
        // The scopes of an aggregated list and labels are maps: what is new there would be one of them.
        if (!("zones/us-central1-a" in record) && !("slipway-owner" in record)) {
          record[`new${random.whole(9)}`] = oneOf<unknown>(random, 1, null, "x", [{}], { a: 1 });
        }
      }),
  },
  {
    kind: "nothing where something may be",
    codes: [],
    apply: ({ text }, random) =>
      eachObject(text, (record) => {
        for (const name of OPTIONAL) if (name in record && random.next() < 0.5) record[name] = null;
      }),
  },
  {
    kind: "truncated JSON",
    codes: UNREADABLE,
    apply: ({ text }, random) =>
      new Response(text.slice(0, 1 + random.whole(Math.max(1, text.length - 2))), {
        headers: { "content-type": "application/json" },
      }),
  },
  { kind: "a page instead", codes: UNREADABLE, apply: () => page(200) },
  {
    kind: "empty",
    codes: UNREADABLE,
    apply: () => new Response("", { headers: { "content-type": "application/json" } }),
  },
  {
    kind: "wrong types",
    codes: UNREADABLE,
    apply: ({ text }, random) => {
      const name = VITAL[random.whole(VITAL.length)] ?? "id";
      return eachObject(text, (record) => {
        if (name in record) record[name] = oneOf<unknown>(random, 7, true, { a: "b" });
      });
    },
  },
  { kind: "a proxy's 403", codes: ["INTERNAL"], refuses: true, apply: () => page(403) },
  { kind: "a proxy's 404", codes: ["INTERNAL"], refuses: true, apply: () => page(404) },
];
