import { nameFor } from "@slipway/core";
import { present } from "@slipway/provider-kit/driver";

// AWS keeps these for itself.
const THEIRS = "aws:";
const OURS = "slipway:";
const KEY_MAX = 128;
const VALUE_MAX = 256;

/** The names of the tags by which Slipway knows its own things. */
export const TAGS: {
  readonly owner: "slipway:owner";
  readonly key: "slipway:key";
  /** `nameFor(owner, key)`, as `Name`, which people may change. */
  readonly handle: "slipway:handle";
  readonly specHash: "slipway:spec-hash";
  /** How many instances of this key ended before this one. */
  readonly generation: "slipway:generation";
  /** The display name; `Name` is `nameFor(owner, key)`. */
  readonly name: "slipway:name";
  readonly expiresAt: "slipway:expires-at";
  /** When the machine terminates itself. */
  readonly terminateBy: "slipway:terminate-by";
  readonly pool: "slipway:pool";
  readonly sourceInstance: "slipway:source-instance";
  /** What a thing without a key is for. */
  readonly role: "slipway:role";
  readonly remoteName: "Name";
} = {
  owner: "slipway:owner",
  key: "slipway:key",
  handle: "slipway:handle",
  specHash: "slipway:spec-hash",
  generation: "slipway:generation",
  name: "slipway:name",
  expiresAt: "slipway:expires-at",
  terminateBy: "slipway:terminate-by",
  pool: "slipway:pool",
  sourceInstance: "slipway:source-instance",
  role: "slipway:role",
  remoteName: "Name",
};

/** The role of a disk that comes and goes with its instance. */
export const INSTANCE_DISK = "instance-disk";

/** How many tags Slipway itself writes on an instance at most; EC2 takes 50 in all. */
const OWN_TAGS = 9;
export const MAX_LABELS: number = 50 - OWN_TAGS;
export const NAME_MAX_LENGTH: number = VALUE_MAX;

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

type WireTags = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;

/** What Slipway wrote on a thing; nulls for what is not ours. */
export interface Ownership {
  readonly owner: string | null;
  readonly key: string | null;
  readonly specHash: string;
  readonly generation: number;
  readonly name?: string;
  readonly expiresAt?: string;
  readonly terminateBy?: string;
}

/** Owner and key as tags, with the remote name that follows from both. A shared thing has no key. */
export function tagsOf(owner: string, key: string | null): readonly Tag[] {
  const ours = [{ Key: TAGS.owner, Value: owner }];
  if (key === null) return ours;
  const name = nameFor(owner, key);
  return [
    ...ours,
    { Key: TAGS.key, Value: key },
    { Key: TAGS.handle, Value: name },
    { Key: TAGS.remoteName, Value: name },
  ];
}

export function tagOf(tags: WireTags, name: string): string | undefined {
  return tags?.find(({ Key }) => Key === name)?.Value;
}

export function ownershipOf(tags: WireTags): Ownership {
  return {
    owner: tagOf(tags, TAGS.owner) ?? null,
    key: tagOf(tags, TAGS.key) ?? null,
    specHash: tagOf(tags, TAGS.specHash) ?? "",
    generation: Math.max(0, Math.trunc(Number(tagOf(tags, TAGS.generation) ?? 0)) || 0),
    ...present({
      name: tagOf(tags, TAGS.name),
      expiresAt: tagOf(tags, TAGS.expiresAt),
      terminateBy: tagOf(tags, TAGS.terminateBy),
    }),
  };
}

/** The caller's own labels. */
export function labelsOf(tags: WireTags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (tags ?? []).flatMap(({ Key = "", Value = "" }) => (isReserved(Key) || Key === "" ? [] : [[Key, Value]])),
  );
}

/** Which rule of EC2's tags a label breaks, as the end of a sentence; null if none. */
export function labelFault(name: string, value: string): string | null {
  if (name === "" || name.length > KEY_MAX) return `must be 1 to ${KEY_MAX} characters, since EC2's tags are so`;
  if (name.toLowerCase().startsWith(THEIRS)) return `begins with ${THEIRS}, which AWS keeps for itself`;
  if (!isText(name) || !isText(value)) return "holds half of a surrogate pair, which is no character";
  if (isReserved(name)) return "is reserved: Slipway finds its own things by it";
  if (/^\s*[\r\n]\s*$/.test(value)) return "has a value of line breaks alone, which is lost in EC2's answers";
  if (value.length > VALUE_MAX) return `has a value of ${value.length} characters, and EC2's tags hold ${VALUE_MAX}`;
  return null;
}

/** Can it be sent as UTF-8? */
export function isText(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function isReserved(name: string): boolean {
  return name.startsWith(OURS) || name.startsWith(THEIRS) || name === TAGS.remoteName;
}

interface Filter {
  readonly Name: string;
  readonly Values: string[];
}

/** What finds an owner's things, or everything that bears our tag for `"*"`. */
export function ownerFilters(owner: string): Filter[] {
  return owner === "*" ? [{ Name: "tag-key", Values: [TAGS.owner] }] : [{ Name: `tag:${TAGS.owner}`, Values: [owner] }];
}

/**
 * What finds an owner's things under these keys. By a tag of ours that follows from both: a key may hold what filters read
 * as wildcards, and `Name` is what people change.
 */
export function keyFilter(owner: string, ...keys: readonly string[]): Filter {
  return { Name: `tag:${TAGS.handle}`, Values: keys.map((key) => nameFor(owner, key)) };
}
