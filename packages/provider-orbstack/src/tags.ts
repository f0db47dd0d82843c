import { namePrefixFor, type ResourceOptions } from "@slipway/core";
import * as z from "zod/mini";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import type { WireMachine } from "./wire.ts";

/** What Slipway keeps inside a machine; nothing of it is secret. Readable by all, so that a copy to the Mac can read it. */
export const TAG_PATH = "/var/lib/slipway/tag.json";
/** What a program of ours ends with in a machine whose tag is not the one that was meant. */
export const OTHER_MACHINE = 76;

/**
 * What stands in a file inside of a machine. It counts only where its `id` is the machine's own: a copy of the machine
 * has the file too.
 */
export interface Tag {
  readonly id: string;
  readonly owner: string;
  readonly key: string;
  readonly specHash: string;
  readonly displayName?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly expiresAt?: string | undefined;
  readonly resources?: ResourceOptions | undefined;
  /** Checksum of the bootstrap that it has, if it has one. */
  readonly bootstrap?: string | undefined;
}

/** Not zod's own record: that loses a label called `__proto__`. */
const labelsSchema: z.ZodMiniType<Tag["labels"]> = z.custom<Tag["labels"]>(
  (value) =>
    typeof value === "object" && value !== null && Object.values(value).every((label) => typeof label === "string"),
);

const tagSchema: z.ZodMiniType<Tag> = z.object({
  id: z.string(),
  owner: z.string(),
  key: z.string(),
  specHash: z.string(),
  displayName: z.optional(z.string()),
  labels: labelsSchema,
  expiresAt: z.optional(z.string()),
  resources: z.optional(
    z.object({ cpus: z.optional(z.number()), memoryBytes: z.optional(z.number()), diskBytes: z.optional(z.number()) }),
  ),
  bootstrap: z.optional(z.string()),
});

/** Null for what is no tag: an empty file, half a one, somebody else's. */
export function parseTag(text: string): Tag | null {
  return parsed(text, tagSchema);
}

export function tagText(tag: Tag): string {
  return `${JSON.stringify(tag)}\n`;
}

/** What stands inside the copy that is a snapshot, in a file that bears the copy's name. */
export interface SnapshotTag {
  /** The copy's name: the file stands in the instance too, and in later copies of it. */
  readonly name: string;
  readonly owner: string;
  readonly key: string;
  readonly instanceId: string;
  readonly displayName?: string | undefined;
}

const snapshotSchema: z.ZodMiniType<SnapshotTag> = z.object({
  name: z.string(),
  owner: z.string(),
  key: z.string(),
  instanceId: z.string(),
  displayName: z.optional(z.string()),
});

export function snapshotTagPath(name: string): string {
  return `/var/lib/slipway/snapshots/${name}.json`;
}

export function parseSnapshotTag(text: string): SnapshotTag | null {
  return parsed(text, snapshotSchema);
}

function parsed<T>(text: string, schema: z.ZodMiniType<T>): T | null {
  try {
    const found = schema.safeParse(JSON.parse(text));
    return found.success ? found.data : null;
  } catch {
    return null;
  }
}

const USER = /^slip-[0-9a-f]{24}$/;

/**
 * The login user that `create` makes in the machine. It is the one thing of ours that stands in the call itself and in
 * every list: so a machine whose maker was killed right after is known as Slipway's, with its spec.
 */
export function userFor(specHash: string): string {
  return `slip-${specHash.replace(/^sha256:/, "").slice(0, 24)}`;
}

export function isOurUser(user: string): boolean {
  return USER.test(user);
}

const INSTANCE_NAME = /^slip-[a-z2-7]{8}-[a-z2-7]{20}$/;
const SNAPSHOT_NAME = /^snap-[a-z2-7]{8}-[a-z2-7]{20}$/;

export function isInstanceName(name: string): boolean {
  return INSTANCE_NAME.test(name);
}

export function isSnapshotName(name: string): boolean {
  return SNAPSHOT_NAME.test(name);
}

/** The name of a snapshot, from the name that an instance of its key would have. */
export function snapshotNameOf(instanceName: string): string {
  return instanceName.replace(/^slip-/, "snap-");
}

/** Does the name of an instance or a snapshot say that it is this owner's? */
export function isNamedBy(owner: string, name: string): boolean {
  return name.replace(/^snap-/, "slip-").startsWith(namePrefixFor(owner));
}

/** A machine that is an instance of Slipway's. */
export interface Owned {
  readonly machine: WireMachine;
  /** Null: it was made and not tagged yet, and its maker may be gone. Then its name and its user say whose it is. */
  readonly tag: Tag | null;
  /** Made as a copy, and not tagged yet: it has the tag of that machine. */
  readonly copyOf: Tag | null;
  /** There may be a tag all the same: it could not be read now. */
  readonly isUnreadable: boolean;
}

/** Null for an unmanaged machine, a snapshot, and a copy that somebody else has made. */
export async function ownedOf(
  { tags }: Pick<OrbstackContext, "tags">,
  call: Call,
  machine: WireMachine,
): Promise<Owned | null> {
  if (!mayBeOurs(machine)) return null;
  const found = await tags.read(call, machine);
  if (found.tag !== null) return { machine, ...found };
  const isHalfMade = isOurUser(machine.config.default_username) && isInstanceName(machine.name);
  return isHalfMade ? { machine, ...found } : null;
}

/** Whoever is renamed still has the user, and whose user was changed still has the name. */
export function mayBeOurs({ name, config, builtin }: WireMachine): boolean {
  return !builtin && !isSnapshotName(name) && (isInstanceName(name) || isOurUser(config.default_username));
}
