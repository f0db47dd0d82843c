import { bootstrapConfigShape, bootstrapReportShape } from "./bootstrap.ts";
import type { Capability } from "./capability.ts";
import { isKey } from "./key.ts";
import { callShape } from "./options.ts";
import type { ProviderLimits } from "./provider.ts";
import { type Fields, fieldName, isList, isOneOf, type RequestKind, type Shape } from "./shape.ts";
import { checksumOf } from "./spec-hash.ts";

/** What is wrong with a value, as the end of a sentence that begins with the field's name; null if nothing is. */
type Check = (value: unknown, limits: ProviderLimits) => string | null;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";

const anyText: Check = (value) => (isText(value) ? null : "must be a text");
const text: Check = (value) => (isText(value) && value !== "" ? null : "must be a text that is not empty");
const positive: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? null : "must be a number above 0";
const whole: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 1 ? null : "must be a whole number of at least 1";
const flag: Check = (value) => (typeof value === "boolean" ? null : "must be true or false");
const signal: Check = (value) => (value instanceof AbortSignal ? null : "must be an AbortSignal");
const key: Check = (value) => (isKey(value) ? null : "must be 1 to 128 printable ASCII characters");
const portNumber: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535 ? null : "must be 1 to 65535";
const absolutePath: Check = (value) => (isText(value) && value.startsWith("/") ? null : "must be an absolute path");
const publicKey: Check = (value) =>
  isText(value) && /^[^\s]+ [^\s]+[^\r\n]*$/.test(value) ? null : "must be one line as `ssh-ed25519 AAAA…`";
const utcTime: Check = (value) => {
  const found = isText(value) ? /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z$/.exec(value) : null;
  const time = found === null ? Number.NaN : Date.parse(found[0]);
  // The parser makes 2 March of 30 February.
  const real = !Number.isNaN(time) && new Date(time).toISOString().startsWith(found?.[1] ?? "");
  return real ? null : "must be a time as 2026-01-31T12:00:00Z";
};
/** Joins a field's name and what is wrong inside it: `ports[0].port must be …`. */
const at = (name: string, wrong: string): string => (/^[.[]/.test(wrong) ? `${name}${wrong}` : `${name} ${wrong}`);

/** All that reading an object would find, inherited fields too; `undefined` counts as absent. */
function entriesOf(value: Record<string, unknown>): [string, unknown][] {
  const entries: [string, unknown][] = [];
  for (const name in value) if (value[name] !== undefined) entries.push([name, value[name]]);
  return entries;
}

/** A row of a table; a name such as `constructor` finds none. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const textMap: Check = (value) =>
  isRecord(value) && Object.values(value).every(isText) ? null : "must map names to texts";

const labels: Check = (value, limits) => {
  const count = isRecord(value) ? Object.keys(value).length : 0;
  return count > limits.maxLabels
    ? `has ${count} entries, and this provider takes ${limits.maxLabels}`
    : textMap(value, limits);
};
const name: Check = (value, { nameMaxLength }) =>
  isText(value) && value.length > 0 && value.length <= nameMaxLength
    ? null
    : `must be 1 to ${nameMaxLength} characters`;
const bootstrap: Check = (value, limits) => {
  if (!isRecord(value)) return "must be a config or a rendered script";
  if (value["content"] === undefined) return faultOf(bootstrapConfigShape, value, limits);
  const { content, format, checksum, byteLength, stableChecksum } = value;
  if (!isText(content)) return "has content that is not a text";
  if (format !== "cloud-init" && format !== "shell") return "has a format other than cloud-init and shell";
  if (checksum !== checksumOf(content)) return "has a checksum that is not its content's: render it again";
  if (stableChecksum !== undefined && !isText(stableChecksum)) return "has a stableChecksum that is not a text";
  return byteLength === new TextEncoder().encode(content).length ? null : "has a byteLength that is not its content's";
};
const report: Check = (value, limits) => (value === true ? null : faultOf(bootstrapReportShape, value, limits));

const CHECKS: Readonly<Record<RequestKind, Check>> = {
  text,
  any: anyText,
  key,
  name,
  time: utcTime,
  path: absolutePath,
  publicKey,
  flag,
  above0: positive,
  whole,
  port: portNumber,
  texts: textMap,
  labels,
  signal,
  bootstrap,
  report,
};
type Checked = Shape<RequestKind>;

/** What is wrong with a value of this shape, as the end of a sentence that begins with its name; null if nothing is. */
function faultOf(shape: Checked, value: unknown, limits: ProviderLimits): string | null {
  if (typeof shape === "string") return CHECKS[shape](value, limits);
  if (isOneOf(shape)) {
    const { oneOf } = shape;
    return isText(value) && Object.hasOwn(oneOf, value) ? null : `must be one of ${Object.keys(oneOf).join(", ")}`;
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return "must be a list";
    for (const [index, item] of value.entries()) {
      const wrong = faultOf(shape[0], item, limits);
      if (wrong !== null) return at(`[${index}]`, wrong);
    }
    return null;
  }
  if (!isRecord(value)) return "must be an object";
  const missing = missingFrom(shape, value);
  if (missing !== undefined) return `needs ${missing}`;
  for (const [name, member] of entriesOf(value)) {
    const nested = membersOf(shape).shapes.get(name);
    // A misspelt name would be ignored in silence.
    if (nested === undefined) return `has no field ${JSON.stringify(name)}`;
    const wrong = faultOf(nested, member, limits);
    if (wrong !== null) return at(`.${name}`, wrong);
  }
  return null;
}

/** The fields of a shape by their names. */
interface Members {
  readonly required: readonly string[];
  readonly shapes: ReadonlyMap<string, Checked>;
}

const members = new WeakMap<Fields<RequestKind>, Members>();

/** Read from each shape once, at its first need: it is asked at every call. */
function membersOf(shape: Fields<RequestKind>): Members {
  const known = members.get(shape);
  if (known !== undefined) return known;
  const written = Object.entries(shape);
  const read = {
    required: written.flatMap(([name]) => (name.endsWith("?") ? [] : [name])),
    shapes: new Map(written.map(([name, nested]) => [fieldName(name), nested])),
  };
  members.set(shape, read);
  return read;
}

function missingFrom(shape: Fields<RequestKind>, value: Readonly<Record<string, unknown>>): string | undefined {
  return membersOf(shape).required.find((name) => value[name] === undefined);
}

/** Why a request is refused before any call: the code, and the sentence. */
export interface Refusal {
  readonly code: "INVALID_SPEC" | "UNSUPPORTED";
  readonly message: string;
  readonly capability?: Capability;
}

/** An option or filter of a capability, and what it must be; `true` where core does not know. */
export interface UnlockedOption {
  readonly capability: Capability;
  readonly shape: Checked | true;
}

export interface RequestRules {
  readonly limits: ProviderLimits;
  readonly base: Fields<RequestKind>;
  /** What capabilities unlock, by name. */
  readonly unlocked: ReadonlyMap<string, UnlockedOption>;
  /** The provider's own options beyond the contract. */
  readonly own: ReadonlySet<string>;
  readonly capabilities: Readonly<Record<string, boolean | undefined>>;
  readonly refuses: Readonly<Record<string, string | undefined>>;
  readonly noun: "option" | "filter";
}

/** What is wrong with the options of a call that is no request of the tables above, or null. */
export function callFault(
  shape: Fields<RequestKind> | undefined,
  call: unknown,
  limits: ProviderLimits,
): string | null {
  if (call === undefined) return shape === undefined ? null : "needs options";
  if (!isRecord(call)) return "must be an object";
  const missing = shape === undefined ? undefined : missingFrom(shape, call);
  if (missing !== undefined) return `needs ${missing}`;
  return wrongOption(callShape, call, limits) ?? (shape === undefined ? null : wrongOption(shape, call, limits));
}

function wrongOption(
  shape: Fields<RequestKind>,
  call: Readonly<Record<string, unknown>>,
  limits: ProviderLimits,
): string | null {
  for (const [name, nested] of membersOf(shape).shapes) {
    const wrong = call[name] === undefined ? null : faultOf(nested, call[name], limits);
    if (wrong !== null) return `${name} ${wrong}`;
  }
  return null;
}

/** A copy, so that a caller who goes on using the object does not change a request that is under way. */
export function copiedRequest(request: unknown): unknown {
  if (!isRecord(request)) return request;
  // What is inherited is read as well, so it is copied as well.
  return Object.getPrototypeOf(request) === Object.prototype ? { ...request } : Object.fromEntries(entriesOf(request));
}

/** What is wrong with a bootstrap config, or null. */
export function configFault(config: unknown, limits: ProviderLimits): string | null {
  const wrong = faultOf(bootstrapConfigShape, config, limits);
  return wrong === null ? null : at("bootstrap", wrong);
}

/** The first thing that is wrong with a request, or null. `undefined` counts as absent. */
export function refusalOf(request: unknown, rules: RequestRules): Refusal | null {
  if (!isRecord(request)) return { code: "INVALID_SPEC", message: `the ${rules.noun}s must be an object` };
  for (const name in request) {
    const refused = request[name] === undefined ? null : refusedOption(name, request[name], rules);
    if (refused !== null) return refused;
  }
  const hasBoth = request["spec"] !== undefined && request["resources"] !== undefined;
  if (hasBoth && rules.noun === "option" && rules.limits.specTakesResources !== true) {
    return { code: "INVALID_SPEC", message: "spec and resources exclude each other: give one of them" };
  }
  return null;
}

function refusedOption(name: string, value: unknown, rules: RequestRules): Refusal | null {
  const unlocked = rules.unlocked.get(name);
  if (unlocked !== undefined && rules.capabilities[unlocked.capability] !== true) {
    const { capability } = unlocked;
    return { code: "UNSUPPORTED", message: `${name} needs ${capability}`, capability };
  }
  const sentence = own(rules.refuses, name);
  if (sentence !== undefined) return { code: "UNSUPPORTED", message: `${name} is not supported: ${sentence}` };
  const shape = membersOf(rules.base).shapes.get(name) ?? unlocked?.shape;
  if (shape === undefined) {
    if (rules.own.has(name)) return null;
    return { code: "INVALID_SPEC", message: `unknown ${rules.noun} ${JSON.stringify(name)}` };
  }
  const wrong = shape === true ? null : faultOf(shape, value, rules.limits);
  return wrong === null ? null : { code: "INVALID_SPEC", message: at(name, wrong) };
}
