import type { ErrorCode } from "@slipway/core";
import type { SeededRandom } from "@slipway/provider-kit/emulator";

export interface Original {
  readonly status: number;
  readonly text: string;
}

export type Mutated = Response | Error;

/** What becomes of an answer on its way, every time, and what the caller has to be told. */
export interface Mutation {
  readonly kind: string;
  /** Null: it does no harm. */
  readonly code: ErrorCode | null;
  /** The request never comes to RunPod's program. */
  readonly refuses?: true;
  /** It changes what stands in a body, so there has to be one. */
  readonly needsBody?: true;
  /** Only for these subjects. */
  readonly only?: readonly string[];
  readonly apply: (answer: Original, random: SeededRandom, secrets: readonly string[]) => Mutated;
}

const JSON_TYPE = { "content-type": "application/json" };
const PROBLEM_TYPE = { "content-type": "application/problem+json" };
const HTML_TYPE = { "content-type": "text/html" };

const json = (body: unknown, status: number): Response =>
  new Response(JSON.stringify(body), { status, headers: JSON_TYPE });
const page = (status: number): Response => new Response("<!doctype html><p>sorry</p>", { status, headers: HTML_TYPE });
const problem = (status: number, detail: string): Response =>
  new Response(JSON.stringify({ title: "No", status, detail }), { status, headers: PROBLEM_TYPE });
const broken = (code: string): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("broken"), { code }) });

function oneOf<T>(random: SeededRandom, values: readonly [T, ...T[]]): T {
  return values[random.whole(values.length)] ?? values[0];
}

type Change = (record: Record<string, unknown>) => void;

/** The same JSON with every object in it changed. */
function changed({ text, status }: Original, change: Change): Response {
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const member of Object.values(node)) walk(member);
    if (!Array.isArray(node)) change(node as Record<string, unknown>);
  };
  const body: unknown = JSON.parse(text);
  walk(body);
  return json(body, status);
}

// Of each answer a field without which it says nothing.
const VITAL = ["pods", "networkVolumes", "gpus", "id"];
const OPTIONAL = [
  "ssh",
  "direct",
  "proxy",
  "runtime",
  "cost",
  "image",
  "disk",
  "gpu",
  "createdAt",
  "dataCenterId",
  "mounts",
];
const UNCLEAR_STATUS = [500, 502, 503, 504] as const;

function vitalOf({ text }: Original): readonly string[] {
  const body: unknown = JSON.parse(text);
  return typeof body === "object" && body !== null ? VITAL.filter((name) => name in body) : [];
}

export const MUTATIONS: readonly Mutation[] = [
  { kind: "gateway page", code: "UNAVAILABLE", apply: (_a, random) => page(oneOf(random, UNCLEAR_STATUS)) },
  {
    kind: "problem after the effect",
    code: "UNAVAILABLE",
    apply: (_a, random) => problem(oneOf(random, UNCLEAR_STATUS), "Something went wrong."),
  },
  { kind: "request timeout", code: "TIMEOUT", apply: () => page(408) },
  {
    kind: "throttled",
    refuses: true,
    code: "RATE_LIMIT_ERROR",
    apply: (_a, random) =>
      oneOf(random, [page(429), problem(429, "rate limit exceeded"), new Response(null, { status: 429 })]),
  },
  {
    kind: "connection refused",
    refuses: true,
    code: "NETWORK",
    apply: (_a, random) => broken(oneOf(random, ["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"])),
  },
  {
    kind: "answer lost",
    code: "NETWORK",
    apply: (_a, random) => broken(oneOf(random, ["ECONNRESET", "UND_ERR_SOCKET", "EPIPE"])),
  },
  { kind: "cut off in the body", code: "NETWORK", needsBody: true, apply: cutOff },
  {
    kind: "truncated JSON",
    code: "INTERNAL",
    needsBody: true,
    apply: ({ text, status }, random) =>
      new Response(text.slice(0, 1 + random.whole(text.length - 2)), { status, headers: JSON_TYPE }),
  },
  { kind: "page instead", code: "INTERNAL", apply: () => page(200) },
  {
    kind: "empty",
    code: "INTERNAL",
    needsBody: true,
    apply: ({ status }) => new Response("", { status, headers: JSON_TYPE }),
  },
  {
    kind: "list instead of an object",
    code: "INTERNAL",
    needsBody: true,
    apply: ({ status }) => json([[[[]]]], status),
  },
  {
    kind: "not its charset",
    code: "INTERNAL",
    apply: () => new Response(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), { headers: JSON_TYPE }),
  },
  {
    kind: "wrong types",
    code: "INTERNAL",
    needsBody: true,
    apply: (answer, random) =>
      changed(answer, (record) => {
        for (const name of vitalOf(answer)) {
          if (name in record) record[name] = oneOf<unknown>(random, [7, "", true, { a: "b" }, null]);
        }
      }),
  },
  {
    kind: "a field is gone",
    code: "INTERNAL",
    needsBody: true,
    apply: (answer) =>
      changed(answer, (record) => {
        for (const name of vitalOf(answer)) delete record[name];
      }),
  },
  {
    kind: "an address that is none",
    code: "INTERNAL",
    only: ["spawn", "get"],
    apply: (answer) =>
      changed(answer, (record) => {
        if ("ssh" in record) record["ssh"] = { direct: { host: 5, port: "ssh" } };
      }),
  },
  {
    kind: "about another pod",
    code: "INTERNAL",
    only: ["spawn"],
    apply: (answer) => changed(answer, (record) => void ("ssh" in record && (record["name"] = "somebody-else"))),
  },
  {
    kind: "pages without end",
    code: "INTERNAL",
    only: ["list", "listVolumes"],
    apply: (answer, random) =>
      changed(answer, (record) => {
        const nextCursor = oneOf(random, [Buffer.from("at:0").toString("base64url"), null]);
        if ("pagination" in record) record["pagination"] = { nextCursor, hasNextPage: true };
      }),
  },
  { kind: "a proxy's 403", refuses: true, code: "INTERNAL", apply: () => page(403) },
  {
    kind: "sent elsewhere",
    code: "INTERNAL",
    refuses: true,
    apply: () => new Response(null, { status: 307, headers: { location: "http://elsewhere.example/" } }),
  },
  { kind: "an unknown status", code: "INTERNAL", apply: () => json({ hello: 1 }, 418) },
  { kind: "key refused", refuses: true, code: "AUTH_ERROR", apply: () => problem(401, "missing bearer token") },
  { kind: "retired", refuses: true, code: "UNSUPPORTED", apply: () => page(410) },
  {
    kind: "secrets repeated",
    refuses: true,
    code: "INVALID_SPEC",
    apply: (_a, _r, secrets) => problem(422, `$.env: ${secrets.join(" ")} is not allowed`),
  },
  {
    kind: "new fields",
    code: null,
    needsBody: true,
    apply: (answer, random) =>
      changed(answer, (record) => {
        // The variables of a pod are a map of texts: anything else there would be another thing.
        if ("SLIPWAY_KEY" in record) return;
        record[`new${random.whole(9)}`] = oneOf<unknown>(random, [1, null, "x", [{}], { a: 1 }]);
      }),
  },
  {
    kind: "nothing where something may be",
    code: null,
    needsBody: true,
    apply: (answer, random) =>
      changed(answer, (record) => {
        for (const name of OPTIONAL) if (name in record && random.next() < 0.5) record[name] = null;
      }),
  },
  {
    kind: "an unknown word",
    code: null,
    needsBody: true,
    apply: (answer) =>
      changed(answer, (record) => {
        for (const name of ["status", "availability", "cloud"]) if (name in record) record[name] = "LEVITATING";
      }),
  },
];

/** Half the body, and then the connection breaks. */
function cutOff({ text, status }: Original): Response {
  const half = new TextEncoder().encode(text.slice(0, text.length / 2));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(half),
    pull: (controller) => controller.error(broken("UND_ERR_SOCKET")),
  });
  return new Response(body, { status, headers: JSON_TYPE });
}
