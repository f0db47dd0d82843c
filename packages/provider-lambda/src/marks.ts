import type { WireInstance, WireTag } from "./wire.ts";

// Lambda's own rule for the key of a tag.
const TAG_KEY = /^[a-z][a-z0-9-:]{1,54}$/;
const TAG_VALUE_MAX = 128;
const OURS = "slipway:";
const THEIRS = "lambda-ai-";

/** What Slipway writes on an instance in the call that creates it. */
export interface Marks {
  readonly owner: string;
  readonly key: string;
  readonly specHash: string;
  readonly displayName?: string | undefined;
  readonly expiresAt?: string | undefined;
}

const TAGS: readonly (readonly [field: keyof Marks, tag: string])[] = [
  ["owner", `${OURS}owner`],
  ["key", `${OURS}key`],
  ["specHash", `${OURS}spec-hash`],
  ["displayName", `${OURS}name`],
  ["expiresAt", `${OURS}expires-at`],
];

export function tagsOf(marks: Marks, labels: Readonly<Record<string, string>>): readonly WireTag[] {
  const own = TAGS.flatMap(([field, key]) => {
    const value = marks[field];
    return value === undefined ? [] : [{ key, value }];
  });
  return [...own, ...Object.entries(labels).map(([key, value]) => ({ key, value }))];
}

/** Null for a machine that Slipway has not made. */
export function marksOf({ tags = [] }: WireInstance): Marks | null {
  const values = new Map(tags.map(({ key, value }) => [key, value]));
  const found: Partial<Record<keyof Marks, string>> = {};
  for (const [field, tag] of TAGS) {
    const value = values.get(tag);
    if (value !== undefined) found[field] = value;
  }
  const { owner, key, specHash = "", ...more } = found;
  return owner === undefined || key === undefined ? null : { owner, key, specHash, ...more };
}

export function labelsOf({ tags = [] }: WireInstance): Readonly<Record<string, string>> {
  return Object.fromEntries(
    tags.filter(({ key }) => !key.startsWith(OURS) && !key.startsWith(THEIRS)).map(({ key, value }) => [key, value]),
  );
}

/** Which rule of Lambda a label breaks, as the end of a sentence; null if none. */
export function labelFault(name: string, value: string): string | null {
  if (!TAG_KEY.test(name)) {
    return "must be 2 to 55 characters of a-z, 0-9, `-` and `:` that begin with a letter, since Lambda's tags are so";
  }
  if (name.startsWith(OURS)) return `begins with ${OURS}, which is reserved`;
  if (name.startsWith(THEIRS)) return `begins with ${THEIRS}, which Lambda keeps for itself`;
  if (value.length > TAG_VALUE_MAX) {
    return `has a value of ${value.length} characters, and Lambda's tags hold ${TAG_VALUE_MAX}`;
  }
  return null;
}
