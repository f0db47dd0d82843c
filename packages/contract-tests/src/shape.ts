import { INSTANCE_STATUSES } from "@slipway/core";
import { must, shown } from "./conformance-failure.ts";
import type { RuleId } from "./rule-ids.ts";

/** What is wrong with a value, as the end of a sentence; null if nothing is. */
type Check = (value: unknown) => string | null;

const NO_TIME = "is no time as 2026-01-31T12:00:00Z";
const text: Check = (value) => (typeof value === "string" && value !== "" ? null : "is no text");
const textOrNull: Check = (value) => (value === null ? null : text(value));
const flag: Check = (value) => (typeof value === "boolean" ? null : "is neither true nor false");
const amount: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? null : "is no number of at least 0";
const price: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0
    ? null
    : "is not above 0: leave out what is not known";
const whole: Check = (value) => (Number.isInteger(value) ? null : "is no whole number");
const time: Check = (value) =>
  typeof value === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value))
    ? null
    : NO_TIME;
const timeOrNull: Check = (value) => (value === null ? null : time(value));
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value) ? null : `is none of ${values.join(", ")}`;
const texts: Check = (value) =>
  typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "string")
    ? null
    : "does not map names to texts";

/** The fields of an answer; a name that ends in `?` may be absent. */
interface Fields {
  readonly [name: string]: Check | Fields;
}

const PRICE: Fields = { usdPerHour: price, per: oneOf("instance"), asOf: time, source: oneOf("live", "catalogue") };

export type ShapeName =
  | "instance"
  | "snapshot"
  | "volume"
  | "spotRequest"
  | "spotPrice"
  | "region"
  | "cost"
  | "cluster"
  | "node"
  | "limits";

/** The contract's answers, field by field. What a provider adds beside them is its own. */
const SHAPES: Readonly<Record<ShapeName, Fields>> = {
  instance: {
    id: text,
    status: oneOf(...INSTANCE_STATUSES),
    provider: text,
    nativeId: text,
    key: textOrNull,
    owner: textOrNull,
    "statusReason?": { code: text, message: text },
    "region?": text,
    "zone?": text,
    "spec?": text,
    "image?": text,
    "resources?": {
      "cpus?": price,
      "memoryBytes?": price,
      "diskBytes?": price,
      "gpus?": { type: text, count: whole },
    },
    addresses: { "publicIpv4?": text, "privateIpv4?": text, "ipv6?": text },
    "ssh?": { host: text, port: whole, user: text },
    isSpot: flag,
    "bootstrap?": { state: oneOf("pending", "running", "succeeded", "failed", "unknown"), "exitCode?": whole },
    labels: texts,
    "price?": PRICE,
    createdAt: timeOrNull,
    "expiresAt?": time,
    "terminateBy?": { at: time, by: oneOf("remote", "machine") },
  },
  snapshot: {
    id: text,
    provider: text,
    status: oneOf("pending", "available", "failed"),
    key: textOrNull,
    owner: textOrNull,
    "name?": text,
    instanceId: textOrNull,
    "region?": text,
    "sizeBytes?": amount,
    createdAt: timeOrNull,
  },
  volume: {
    id: text,
    provider: text,
    status: oneOf("pending", "available", "attached", "deleting", "error", "unknown"),
    key: textOrNull,
    owner: textOrNull,
    sizeBytes: price,
    "region?": text,
    "zone?": text,
    attachedTo: textOrNull,
    "pool?": text,
    createdAt: timeOrNull,
  },
  spotRequest: { requestId: text, status: oneOf("open", "fulfilled", "failed"), instanceId: textOrNull },
  spotPrice: { ...PRICE, spec: text, region: text, "zone?": text },
  region: { id: text, name: text },
  cost: { usd: amount, from: time, to: time, group: textOrNull, estimated: flag },
  cluster: { name: text, owner: text, createdAt: timeOrNull },
  node: {
    id: text,
    name: text,
    cluster: text,
    role: oneOf("control-plane", "worker"),
    status: oneOf("pending", "running", "stopped", "unknown"),
    "address?": text,
    image: text,
  },
  limits: {
    maxUserDataBytes: price,
    maxLabels: amount,
    nameMaxLength: price,
    readAfterWriteMs: amount,
    requestLifeMs: amount,
    "terminateLateMs?": amount,
    "specTakesResources?": flag,
  },
};

/** Everything that is wrong with an answer; empty if it is as the contract says. */
export function shapeProblems(value: unknown, shape: ShapeName): readonly string[] {
  return fieldProblems(value, SHAPES[shape], shape);
}

function fieldProblems(value: unknown, fields: Fields, path: string): readonly string[] {
  if (typeof value !== "object" || value === null) return [`${path} is no object: ${shown(value)}`];
  return Object.entries(fields).flatMap(([written, check]) => {
    const name = written.replace("?", "");
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) return written.endsWith("?") ? [] : [`${path}.${name} is missing`];
    if (typeof check !== "function") return fieldProblems(member, check, `${path}.${name}`);
    const wrong = check(member);
    return wrong === null ? [] : [`${path}.${name} ${wrong}: ${shown(member)}`];
  });
}

/** The answer has the contract's fields and survives JSON unchanged. */
export function mustHaveShape(rule: RuleId, value: unknown, shape: ShapeName): void {
  const problems = shapeProblems(value, shape);
  const times = problems.filter((problem) => problem.includes(NO_TIME));
  must(times.length === 0, "DATA-02", times.join("; "), "Answer what Date.prototype.toISOString gives.");
  must(problems.length === 0, rule, problems.join("; "), "Answer the contract's fields; leave out what is not known.");
  mustBeJsonSafe(value, shape);
}

/** Nothing is lost on the way through JSON: no Date, no Map, no class, no NaN. */
export function mustBeJsonSafe(value: unknown, what: string): void {
  const unsafe = jsonProblem(value, what);
  must(unsafe === null, "DATA-01", `${unsafe}`, "Answer plain objects, arrays, texts, numbers, booleans and null.");
}

function jsonProblem(value: unknown, path: string): string | null {
  if (value === null || typeof value === "string" || typeof value === "boolean" || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${path} is ${value}`;
  if (typeof value !== "object") return `${path} is a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    return `${path} is no plain object`;
  }
  for (const [name, member] of Object.entries(value)) {
    const problem = jsonProblem(member, `${path}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}
