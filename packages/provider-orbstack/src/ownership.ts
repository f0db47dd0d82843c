import { nameFor } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { isInstanceName, isNamedBy, isOurUser, isSnapshotName, type Tag } from "./tags.ts";
import type { WireMachine } from "./wire.ts";

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

export function ownerOf({ machine, tag }: Owned, self: string): string | null {
  if (tag !== null) return tag.owner;
  return isNamedBy(self, machine.name) ? self : null;
}

export function isOwnedBy(owned: Owned, owner: string, self: string): boolean {
  return (
    owner === "*" || ownerOf(owned, self) === owner || (owned.tag === null && isNamedBy(owner, owned.machine.name))
  );
}

/** Is it the one of this key? */
export function hasKey({ machine, tag }: Owned, owner: string, key: string): boolean {
  return tag === null ? machine.name === nameFor(owner, key) : tag.owner === owner && tag.key === key;
}
