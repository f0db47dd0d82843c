import type { FilterParameter } from "./action.ts";
import { refuse } from "./answers.ts";

const MOST_VALUES = 200;
const MOST_FILTERS = 50;

/** What a filter of a name looks at in a thing. */
export type FilterTable<T> = Readonly<Record<string, (thing: T) => readonly (string | undefined)[]>>;

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
}

/** The things that pass every filter: each wants one of its values, in which `*` and `?` are wildcards. */
export function filtered<T extends Tagged>(
  things: readonly T[],
  filters: readonly FilterParameter[] | undefined,
  table: FilterTable<T>,
): readonly T[] {
  if (filters === undefined) return things;
  if (filters.length > MOST_FILTERS || filters.some(({ Value }) => Value.length > MOST_VALUES)) {
    refuse("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200.");
  }
  const tests = filters.map(({ Name, Value }) => {
    const look = lookAt(Name, table);
    const patterns = Value.map(patternOf);
    return (thing: T) => look(thing).some((has) => has !== undefined && patterns.some((pattern) => pattern.test(has)));
  });
  return things.filter((thing) => tests.every((test) => test(thing)));
}

function lookAt<T extends Tagged>(name: string, table: FilterTable<T>): FilterTable<T>[string] {
  if (name.startsWith("tag:"))
    return ({ tags }) =>
      Object.entries(tags).flatMap(([key, value]) => (key === name.slice("tag:".length) ? [value] : []));
  if (name === "tag-key") return ({ tags }) => Object.keys(tags);
  if (name === "tag-value") return ({ tags }) => Object.values(tags);
  const look = Object.hasOwn(table, name) ? table[name] : undefined;
  return look ?? refuse("InvalidParameterValue", `The filter '${name}' is invalid`);
}

/** A backslash takes away the meaning of the sign after it. */
function patternOf(value: string): RegExp {
  const parts = value.match(/\\.|[^]/gsu) ?? [];
  const source = parts.map((part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    const literal = part.length > 1 && part.startsWith("\\") ? part.slice(1) : part;
    return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source.join("")}$`, "su");
}
