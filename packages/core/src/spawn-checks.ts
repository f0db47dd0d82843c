import type { Capability } from "./capability.ts";
import { checksumOf } from "./digest.ts";
import { INSTANCE_STATUSES } from "./instance.ts";
import { isKey } from "./key.ts";
import type { ProviderLimits } from "./limits.ts";

/** What is wrong with a value, as the end of a sentence that begins with the field's name; null if nothing is. */
type Check = (value: unknown, limits: ProviderLimits) => string | null;

const text: Check = (value) => (typeof value === "string" && value !== "" ? null : "must be a text that is not empty");
const positive: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? null : "must be a number above 0";
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isPort = (value: unknown): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => isText(item) && item !== "") ? null : "must be a list of texts";

const key: Check = (value) => (isKey(value) ? null : "must be 1 to 128 printable ASCII characters");
const labels: Check = (value, limits) => {
  if (!isRecord(value) || !Object.values(value).every(isText)) return "must map names to texts";
  const count = Object.keys(value).length;
  return count > limits.maxLabels ? `has ${count} entries, and this provider takes ${limits.maxLabels}` : null;
};
const utcTime: Check = (value) =>
  isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? null
    : "must be a time as 2026-01-31T12:00:00Z";
const ports: Check = (value) =>
  Array.isArray(value) &&
  value.every(
    (item) =>
      isRecord(item) &&
      isPort(item["port"]) &&
      (item["hostPort"] === undefined || isPort(item["hostPort"])) &&
      (item["protocol"] === undefined || item["protocol"] === "tcp" || item["protocol"] === "udp"),
  )
    ? null
    : "must be a list of { port: 1 to 65535, protocol?: tcp or udp, hostPort? }";
const sshKeys: Check = (value) =>
  Array.isArray(value) && value.every((item) => isText(item) && /^[^\s]+ [^\s]+[^\r\n]*$/.test(item))
    ? null
    : "must be a list of public keys, each one line as `ssh-ed25519 AAAA…`";
const resources: Check = (value) => {
  if (!isRecord(value)) return "must be { cpus?, memoryBytes?, diskBytes? }";
  for (const [name, amount] of Object.entries(value)) {
    if (!["cpus", "memoryBytes", "diskBytes"].includes(name)) return `has no field ${JSON.stringify(name)}`;
    if (amount !== undefined && positive(amount, noLimits) !== null) return `needs a ${name} above 0`;
  }
  return null;
};
const bootstrap: Check = (value) => {
  if (!isRecord(value)) return "must be a config or a rendered script";
  if (!("content" in value)) return isText(value["script"]) ? null : "needs a script";
  const { content, format, checksum, byteLength } = value;
  if (!isText(content)) return "has content that is not a text";
  if (format !== "cloud-init" && format !== "shell") return "has a format other than cloud-init and shell";
  if (checksum !== checksumOf(content)) return "has a checksum that is not its content's: render it again";
  return byteLength === new TextEncoder().encode(content).length ? null : "has a byteLength that is not its content's";
};
const noLimits: ProviderLimits = { maxUserDataBytes: 0, maxLabels: 0, nameMaxLength: 0, readAfterWriteMs: 0 };

const volumes: Check = (value) =>
  Array.isArray(value) &&
  value.every(
    (item) => isRecord(item) && isText(item["id"]) && isText(item["mountPath"]) && item["mountPath"].startsWith("/"),
  )
    ? null
    : "must be a list of { id, mountPath: an absolute path }";
const gpu: Check = (value) =>
  isRecord(value) && Number.isInteger(value["count"]) && Number(value["count"]) >= 1
    ? null
    : "needs a whole count of at least 1";
const record: Check = (value) => (isRecord(value) ? null : "must be an object");
const flag: Check = (value) => (typeof value === "boolean" ? null : "must be true or false");
const signal: Check = (value) => (value instanceof AbortSignal ? null : "must be an AbortSignal");

const callFields: Readonly<Record<string, Check>> = { signal, timeoutMs: positive };

/** The base options of `spawn`, and what each must be. */
export const BASE_SPAWN_CHECKS: Readonly<Record<string, Check>> = {
  ...callFields,
  key,
  name: (value, limits) =>
    isText(value) && value.length > 0 && value.length <= limits.nameMaxLength
      ? null
      : `must be 1 to ${limits.nameMaxLength} characters`,
  spec: text,
  resources,
  image: text,
  bootstrap,
  ports,
  sshKeys,
  labels,
  expiresAt: utcTime,
  maxUsdPerHour: positive,
};

/** The options that the eleven capabilities unlock. */
const CAPABILITY_SPAWN_CHECKS: Readonly<Record<string, Check>> = {
  fromSnapshot: text,
  spot: record,
  gpu,
  region: text,
  volumes,
  warmVolume: text,
  hibernation: flag,
  tailscale: record,
  network: record,
};

const status: Check = (value) =>
  Array.isArray(value) && value.every((item) => INSTANCE_STATUSES.some((known) => known === item))
    ? null
    : `must be a list of ${INSTANCE_STATUSES.join(", ")}`;

/** The base fields of `list`'s filter. */
export const BASE_LIST_CHECKS: Readonly<Record<string, Check>> = {
  ids: texts,
  keys: texts,
  status,
  labels: (value) => labels(value, { ...noLimits, maxLabels: Number.MAX_SAFE_INTEGER }),
  owner: text,
};

/** Why a request is refused before any call: the code, and the sentence. */
export interface Refusal {
  readonly code: "INVALID_SPEC" | "UNSUPPORTED";
  readonly message: string;
  readonly capability?: Capability;
}

export interface RequestRules {
  readonly limits: ProviderLimits;
  readonly base: Readonly<Record<string, Check>>;
  /** Option -> the capability that unlocks it. */
  readonly owners: ReadonlyMap<string, Capability>;
  /** The provider's own options beyond the contract. */
  readonly own: ReadonlySet<string>;
  readonly capabilities: Readonly<Record<string, boolean | undefined>>;
  readonly refuses: Readonly<Record<string, string | undefined>>;
  readonly noun: "option" | "filter";
}

/** The first thing that is wrong with a request, or null. `undefined` counts as absent. */
export function refusalOf(request: unknown, rules: RequestRules): Refusal | null {
  if (!isRecord(request)) return { code: "INVALID_SPEC", message: `the ${rules.noun}s must be an object` };
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined) continue;
    const refused = refusedOption(name, value, rules);
    if (refused !== null) return refused;
  }
  if (request["spec"] !== undefined && request["resources"] !== undefined && rules.noun === "option") {
    return { code: "INVALID_SPEC", message: "spec and resources exclude each other: give one of them" };
  }
  return null;
}

function refusedOption(name: string, value: unknown, rules: RequestRules): Refusal | null {
  const capability = rules.owners.get(name);
  if (capability !== undefined && rules.capabilities[capability] !== true) {
    return { code: "UNSUPPORTED", message: `${name} needs ${capability}`, capability };
  }
  const sentence = rules.refuses[name];
  if (sentence !== undefined) return { code: "UNSUPPORTED", message: `${name} is not supported: ${sentence}` };
  const check = rules.base[name] ?? (capability === undefined ? undefined : CAPABILITY_SPAWN_CHECKS[name]);
  if (check === undefined) {
    if (capability !== undefined || rules.own.has(name)) return null;
    return { code: "INVALID_SPEC", message: `unknown ${rules.noun} ${JSON.stringify(name)}` };
  }
  const wrong = check(value, rules.limits);
  return wrong === null ? null : { code: "INVALID_SPEC", message: `${name} ${wrong}` };
}
