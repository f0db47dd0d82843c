import type { JsonValue } from "../store/record.ts";

/**
 * Does it come back the same from a journal? Not so dates, maps, class instances, NaN, functions, cycles, and members
 * that are `undefined`.
 */
export function isJson(value: unknown, above: readonly unknown[] = []): value is JsonValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || above.includes(value)) return false;
  const path = [...above, value];
  // `every` would pass over the holes of a sparse array.
  if (Array.isArray(value)) return Array.from(value).every((item) => isJson(item, path));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.getOwnPropertySymbols(value).length === 0 && Object.values(value).every((item) => isJson(item, path));
}

/** A copy that shares nothing with the original. */
export function jsonCopy(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
