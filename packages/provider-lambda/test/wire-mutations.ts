import type { ErrorCode } from "@slipway/core";
import type { SeededRandom } from "@slipway/provider-kit/emulator";

/** What becomes of an answer on its way, and what the caller has to be told where it stays so. */
export interface Mutation {
  readonly kind: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  /** Null: it does no harm. */
  readonly code: ErrorCode | null;
  /** Whether a later good answer saves a read, or a write. */
  readonly read: "saved" | "fails";
  readonly write: "saved" | "fails";
  /** A refusal: the request never comes to the remote's program. */
  readonly refuses?: true;
  /** The mutated answer, or the error of a connection that broke. */
  readonly apply: (answer: Original, random: SeededRandom, secrets: readonly string[]) => Response | Error | "hang";
}

export interface Original {
  readonly status: number;
  readonly text: string;
}

const TYPE = { "content-type": "application/json" };
const HTML = { "content-type": "text/html" };
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status, headers: TYPE });
const page = (status: number): Response => new Response("<!DOCTYPE html><p>sorry</p>", { status, headers: HTML });
const broken = (code: string): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("broken"), { code }) });
const oneOf = <T>(random: SeededRandom, ...values: readonly [T, ...T[]]): T =>
  values[random.whole(values.length)] ?? values[0];

type Visit = (record: Record<string, unknown>) => void;

/** The same JSON with every object in it visited. */
function eachObject(text: string, visit: Visit): Response {
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const member of Object.values(node)) walk(member);
    if (!Array.isArray(node)) visit(node as Record<string, unknown>);
  };
  const body: unknown = JSON.parse(text);
  walk(body);
  return json(body);
}

const OPTIONAL = [
  "ip",
  "private_ip",
  "hostname",
  "file_system_mounts",
  "image",
  "bytes_used",
  "gpu_description",
  "description",
];
// Of each answer a field without which it says nothing.
const VITAL = ["instance_ids", "terminated_instances", "id", "data", "regions_with_capacity_available"];

// As often beside each other as in the field: what the API does not say in its own words is rare.
export const MUTATIONS: readonly Mutation[] = [
  {
    kind: "gateway page",
    weight: 12,
    code: "UNAVAILABLE",
    read: "saved",
    write: "fails",
    apply: (_a, random) => page(oneOf(random, 500, 502, 503, 504)),
  },
  {
    kind: "throttled",
    refuses: true,
    weight: 12,
    code: "RATE_LIMIT_ERROR",
    read: "saved",
    write: "saved",
    apply: (_a, random) => oneOf(random, page(429), json({}, 429), new Response(null, { status: 429 })),
  },
  {
    kind: "connection refused",
    refuses: true,
    weight: 8,
    code: "NETWORK",
    read: "saved",
    write: "saved",
    apply: () => broken("ECONNREFUSED"),
  },
  {
    kind: "answer lost",
    weight: 12,
    code: "NETWORK",
    read: "saved",
    write: "fails",
    apply: (_a, random) => broken(oneOf(random, "ECONNRESET", "UND_ERR_SOCKET", "EPIPE")),
  },
  { kind: "cut off on the wire", weight: 10, code: "NETWORK", read: "saved", write: "fails", apply: cutOff },
  { kind: "no answer", weight: 4, code: "TIMEOUT", read: "saved", write: "fails", apply: () => "hang" },
  {
    kind: "key refused",
    refuses: true,
    weight: 6,
    code: "AUTH_ERROR",
    read: "fails",
    write: "fails",
    apply: (_a, random) =>
      oneOf(random, json({ error: { code: "global/invalid-api-key", message: "no" } }, 401), page(401)),
  },
  {
    kind: "an unknown code",
    refuses: true,
    weight: 6,
    code: "INVALID_SPEC",
    read: "fails",
    write: "fails",
    apply: () => json({ error: { code: "global/brand-new", message: "no", more: [1] } }, 400),
  },
  {
    kind: "secrets repeated",
    refuses: true,
    weight: 6,
    code: "INVALID_SPEC",
    read: "fails",
    write: "fails",
    apply: (_a, _r, secrets) =>
      json({ error: { code: "global/invalid-parameters", message: `no: ${secrets.join(" ")}` } }, 400),
  },
  {
    kind: "new fields",
    weight: 10,
    code: null,
    read: "saved",
    write: "saved",
    apply: ({ text }, random) =>
      eachObject(text, (record) => {
        // The machine types are a map: what is new there would be a machine type.
        if (!("cpu_4x_general" in record))
          record[`new_${random.whole(9)}`] = oneOf<unknown>(random, 1, null, "x", [{}], { a: 1 });
      }),
  },
  {
    kind: "nothing where something may be",
    weight: 8,
    code: null,
    read: "saved",
    write: "saved",
    apply: ({ text }, random) =>
      eachObject(text, (record) => {
        for (const name of OPTIONAL) if (name in record && random.next() < 0.5) record[name] = null;
      }),
  },
  {
    kind: "an unknown status",
    weight: 4,
    code: null,
    read: "saved",
    write: "saved",
    apply: ({ text }) =>
      eachObject(text, (record) => {
        if (typeof record["status"] === "string") record["status"] = "levitating";
      }),
  },
  {
    kind: "truncated JSON",
    weight: 0.3,
    code: "INTERNAL",
    read: "saved",
    write: "fails",
    apply: ({ text }, random) =>
      new Response(text.slice(0, 1 + random.whole(Math.max(1, text.length - 2))), { headers: TYPE }),
  },
  { kind: "a page instead", weight: 0.15, code: "INTERNAL", read: "saved", write: "fails", apply: () => page(200) },
  {
    kind: "empty",
    weight: 0.15,
    code: "INTERNAL",
    read: "saved",
    write: "fails",
    apply: () => new Response("", { headers: TYPE }),
  },
  {
    kind: "not its charset",
    weight: 0.15,
    code: "INTERNAL",
    read: "saved",
    write: "fails",
    apply: () => new Response(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), { headers: TYPE }),
  },
  { kind: "wrong types", weight: 0.35, code: "INTERNAL", read: "saved", write: "fails", apply: wrongTypes },
  {
    kind: "a proxy's 403",
    refuses: true,
    weight: 0.2,
    code: "INTERNAL",
    read: "fails",
    write: "fails",
    apply: () => page(403),
  },
  {
    kind: "sent elsewhere",
    weight: 0.1,
    code: "INTERNAL",
    read: "fails",
    write: "fails",
    apply: () => new Response(null, { status: 302, headers: { location: "http://elsewhere.example/" } }),
  },
  {
    kind: "endless",
    weight: 0.05,
    code: "INTERNAL",
    read: "fails",
    write: "fails",
    apply: () => new Response("x".repeat(10 * 1024 * 1024 + 1), { headers: TYPE }),
  },
];

/** Half the body, and then the connection breaks. */
function cutOff({ text }: Original): Response {
  const half = new TextEncoder().encode(text.slice(0, text.length / 2));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(half),
    pull: (controller) => controller.error(broken("UND_ERR_SOCKET")),
  });
  return new Response(body, { headers: TYPE });
}

function wrongTypes({ text }: Original, random: SeededRandom): Response {
  const body = JSON.parse(text) as Record<string, unknown>;
  const vital = VITAL.filter((name) => text.includes(`"${name}"`));
  const name = vital[random.whole(vital.length)] ?? "data";
  const wrong = oneOf<unknown>(random, 7, "", true, { a: "b" });
  if (name === "data") return json({ data: wrong });
  return eachObject(JSON.stringify(body), (record) => {
    if (name in record) record[name] = wrong;
  });
}

export function chosen(random: SeededRandom): Mutation {
  const sum = MUTATIONS.reduce((all, { weight }) => all + weight, 0);
  let left = random.next() * sum;
  const found = MUTATIONS.find(({ weight }) => (left -= weight) < 0) ?? MUTATIONS[0];
  if (found === undefined) throw new Error("there are no mutations");
  return found;
}
