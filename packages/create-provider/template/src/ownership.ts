/** What Slipway writes on a thing in the call that creates it. */
export interface Ownership {
  readonly owner: string;
  readonly key: string;
  readonly specHash?: string | undefined;
  readonly displayName?: string | undefined;
  readonly expiresAt?: string | undefined;
  // #if hibernation
  readonly hibernation?: string | undefined;
  // #end
}

type Tags = Readonly<Record<string, string>>;

const OURS = "slipway-";
const LABEL = "label-";
const TAGS: readonly (readonly [field: keyof Ownership, tag: string])[] = [
  ["owner", `${OURS}owner`],
  ["key", `${OURS}key`],
  ["specHash", `${OURS}spec-hash`],
  ["displayName", `${OURS}name`],
  ["expiresAt", `${OURS}expires-at`],
  // #if hibernation
  ["hibernation", `${OURS}hibernation`],
  // #end
];

export function tagsOf(ownership: Ownership, labels: Tags = {}): Tags {
  const own = TAGS.flatMap(([field, tag]) => {
    const value = ownership[field];
    return value === undefined ? [] : [[tag, value] as const];
  });
  return Object.fromEntries([...own, ...Object.entries(labels).map(([name, value]) => [`${LABEL}${name}`, value] as const)]);
}

/** Null for a thing that Slipway has not made. */
export function ownershipOf(tags: Tags): Ownership | null {
  const found: Partial<Record<keyof Ownership, string>> = {};
  for (const [field, tag] of TAGS) {
    const value = tags[tag];
    if (value !== undefined) found[field] = value;
  }
  const { owner, key, ...more } = found;
  return owner === undefined || key === undefined ? null : { owner, key, ...more };
}

export function labelsOf(tags: Tags): Tags {
  const labels = Object.entries(tags).filter(([tag]) => tag.startsWith(LABEL));
  return Object.fromEntries(labels.map(([tag, value]) => [tag.slice(LABEL.length), value]));
}
