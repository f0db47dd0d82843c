import { isKey, isOwner, nameFor, namePrefixFor } from "@slipway/core";
import type { Ownership } from "./driver.ts";

export type Tags = Readonly<Record<string, string>>;

export interface OwnershipTags {
  readonly write: (ownership: Ownership) => Tags;
  /** Null for what Slipway has not made. */
  readonly read: (tags: Tags) => Ownership | null;
  /** `begins with slipway:, which is reserved`, or null. */
  readonly reserved: (name: string) => string | null;
}

const FIELDS = [
  ["owner", "owner"],
  ["key", "key"],
  ["specHash", "spec-hash"],
  ["displayName", "name"],
  ["expiresAt", "expires-at"],
] as const;

/** Ownership as tags under one prefix, beside the caller's labels. `foreign`: prefixes that the remote keeps for itself. */
export function ownershipTags(options: {
  readonly prefix: string;
  readonly remote: string;
  readonly foreign?: readonly string[];
}): OwnershipTags {
  const { prefix, remote, foreign = [] } = options;
  const isLabel = (name: string): boolean => ![prefix, ...foreign].some((each) => name.startsWith(each));
  return {
    write: (ownership) => {
      const own = FIELDS.flatMap(([field, tag]) => {
        const value = ownership[field];
        return value === undefined || value === null ? [] : [[`${prefix}${tag}`, value] as const];
      });
      return Object.fromEntries([...own, ...Object.entries(ownership.labels)]);
    },
    read: (tags) => {
      const [owner, key, specHash, displayName, expiresAt] = FIELDS.map(([, tag]) => tags[`${prefix}${tag}`]);
      if (!isOwner(owner) || !isKey(key)) return null;
      const labels = Object.fromEntries(Object.entries(tags).filter(([name]) => isLabel(name)));
      return { owner, key, specHash: specHash ?? "", displayName, expiresAt, labels };
    },
    reserved: (name) => {
      if (name.startsWith(prefix)) return `begins with ${prefix}, which is reserved`;
      const taken = foreign.find((each) => name.startsWith(each));
      return taken === undefined ? null : `begins with ${taken}, which ${remote} keeps for itself`;
    },
  };
}

const NAME = /^slip-[a-z2-7]{8}-[a-z2-7]{20}/;

/** Ownership where a thing keeps nothing but its name: hashes, by which a known owner and key are recognised. */
export function ownershipByName(
  name: string,
  known: { readonly owners: readonly string[]; readonly keys: readonly string[] },
): { readonly owner: string | null; readonly key: string | null } | null {
  if (!NAME.test(name)) return null;
  const keyHash = name.slice(namePrefixFor("").length, namePrefixFor("").length + 20);
  return {
    owner: known.owners.find((owner) => name.startsWith(namePrefixFor(owner))) ?? null,
    key: known.keys.find((key) => nameFor("", key).endsWith(keyHash)) ?? null,
  };
}
