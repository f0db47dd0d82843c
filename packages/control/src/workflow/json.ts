import type { JsonValue } from "../store/record.ts";

/** The value as a journal keeps it, sharing nothing with the original; undefined if it is not JSON or cannot be looked at. */
export function asJson(value: unknown): JsonValue | undefined {
  try {
    return isJson(value) ? jsonCopy(value) : undefined;
  } catch {
    // A getter or a proxy that throws, a cycle through one, a depth that no stack has.
    return undefined;
  }
}

/**
 * Does it come back the same from a journal? Not so dates, maps, class instances, NaN, functions, cycles, and members
 * that are `undefined`.
 */
function isJson(value: unknown, above: readonly unknown[] = []): value is JsonValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || above.includes(value)) return false;
  const path = [...above, value];
  // `every` would pass over the holes of a sparse array.
  if (Array.isArray(value)) return Array.from(value).every((item) => isJson(item, path));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // One that is not enumerable would change what is written.
  if (typeof Reflect.get(value, "toJSON") === "function" || Object.getOwnPropertySymbols(value).length > 0)
    return false;
  return Object.values(value).every((item) => isJson(item, path));
}

function jsonCopy(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
