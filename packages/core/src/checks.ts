import { isKey } from "./key.ts";
import type { ProviderLimits } from "./limits.ts";

/** What is wrong with a value, as the end of a sentence that begins with the field's name; null if nothing is. */
export type Check = (value: unknown, limits: ProviderLimits) => string | null;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === "string";

export const anyText: Check = (value) => (isText(value) ? null : "must be a text");
export const text: Check = (value) => (isText(value) && value !== "" ? null : "must be a text that is not empty");
export const positive: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? null : "must be a number above 0";
export const whole: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 1 ? null : "must be a whole number of at least 1";
export const flag: Check = (value) => (typeof value === "boolean" ? null : "must be true or false");
export const signal: Check = (value) => (value instanceof AbortSignal ? null : "must be an AbortSignal");
export const key: Check = (value) => (isKey(value) ? null : "must be 1 to 128 printable ASCII characters");
export const portNumber: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535 ? null : "must be 1 to 65535";
export const absolutePath: Check = (value) =>
  isText(value) && value.startsWith("/") ? null : "must be an absolute path";
export const publicKey: Check = (value) =>
  isText(value) && /^[^\s]+ [^\s]+[^\r\n]*$/.test(value) ? null : "must be one line as `ssh-ed25519 AAAA…`";
export const utcTime: Check = (value) => {
  const found = isText(value) ? /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z$/.exec(value) : null;
  const time = found === null ? Number.NaN : Date.parse(found[0]);
  // The parser makes 2 March of 30 February.
  const real = !Number.isNaN(time) && new Date(time).toISOString().startsWith(found?.[1] ?? "");
  return real ? null : "must be a time as 2026-01-31T12:00:00Z";
};
/** Joins a field's name and what is wrong inside it: `ports[0].port must be …`. */
export const at = (name: string, wrong: string): string =>
  /^[.[]/.test(wrong) ? `${name}${wrong}` : `${name} ${wrong}`;

/** All that reading an object would find, inherited fields too; `undefined` counts as absent. */
export function entriesOf(value: Record<string, unknown>): [string, unknown][] {
  const entries: [string, unknown][] = [];
  for (const name in value) if (value[name] !== undefined) entries.push([name, value[name]]);
  return entries;
}

/** A row of a table; a name such as `constructor` finds none. */
export function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export const textMap: Check = (value) =>
  isRecord(value) && Object.values(value).every(isText) ? null : "must map names to texts";
