import type { Ownership } from "@slipway/provider-kit/driver";
import type { WireContainer } from "./wire.ts";

/** What all of Slipway's labels begin with. */
export const OURS = "dev.slipway.";
/** These mean something to the command itself: it would hide the container, or take it for a node of its own. */
const APPLES = "com.apple.container.";

/** What Slipway writes on a container in the command that creates it. */
export interface Tags {
  readonly owner: string;
  readonly key: string;
  readonly specHash: string;
  /** Made anew for each creation: the name is the same for all containers of one key. */
  readonly generation: string;
  readonly displayName?: string | undefined;
  readonly expiresAt?: string | undefined;
  /** Checksum of the bootstrap that it waits for, if it has one. */
  readonly bootstrap?: string | undefined;
}

const LABELS: readonly (readonly [field: keyof Tags, label: string])[] = [
  ["owner", `${OURS}owner`],
  ["key", `${OURS}key`],
  ["specHash", `${OURS}spec-hash`],
  ["generation", `${OURS}generation`],
  ["displayName", `${OURS}name`],
  ["expiresAt", `${OURS}expires-at`],
  ["bootstrap", `${OURS}bootstrap`],
];

/**
 * As it can stand on either side of a label's `=`: the command refuses or cuts what has a second one. `%` is encoded too,
 * so that everything can be read back.
 */
export function encodeLabel(text: string): string {
  return text.replace(/[%=]/g, (character) => (character === "%" ? "%25" : "%3D"));
}

export function decodeLabel(text: string): string {
  return text.replace(/%(25|3D)/g, (_whole, code: string) => (code === "25" ? "%" : "="));
}

export function labelsFor(tags: Tags, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = LABELS.flatMap(([field, label]) => {
    const value = tags[field];
    return value === undefined ? [] : [[label, encodeLabel(value)] as const];
  });
  const callers = Object.entries(labels).map(([name, value]) => [encodeLabel(name), encodeLabel(value)] as const);
  return Object.fromEntries([...own, ...callers]);
}

/** Null for a container that is no instance of Slipway's: an unmanaged machine, or a cluster's node. */
export function tagsOf({ configuration }: Pick<WireContainer, "configuration">): Tags | null {
  const found: Partial<Record<keyof Tags, string>> = {};
  for (const [field, label] of LABELS) {
    const value = configuration.labels[label];
    if (value !== undefined) found[field] = decodeLabel(value);
  }
  const { owner, key, specHash = "", generation = "", ...more } = found;
  return owner === undefined || key === undefined ? null : { owner, key, specHash, generation, ...more };
}

export function ownershipOf(wire: Pick<WireContainer, "configuration">): Ownership | null {
  const tags = tagsOf(wire);
  return tags === null ? null : { ...tags, labels: labelsOf(wire) };
}

/** The caller's labels. */
export function labelsOf({ configuration }: Pick<WireContainer, "configuration">): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(configuration.labels)
      .filter(([name]) => !name.startsWith(OURS) && !name.startsWith(APPLES))
      .map(([name, value]) => [decodeLabel(name), decodeLabel(value)]),
  );
}

/** Which rule a label breaks, as the end of a sentence; null if none. */
export function labelFault(name: string, value: string): string | null {
  if (name === "") return "has no name";
  if (name.startsWith(OURS)) return `begins with ${OURS}, which is reserved`;
  if (name.startsWith(APPLES)) return `begins with ${APPLES}, which container keeps for itself`;
  return name.includes("\0") || value.includes("\0") ? "holds a NUL character" : null;
}
