import { nameFor } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { isInstanceName, isNamedBy, isOurUser, isSnapshotName, type Mark } from "./marks.ts";
import type { WireMachine } from "./wire.ts";

/** A machine that is an instance of Slipway's. */
export interface Owned {
  readonly machine: WireMachine;
  /** Null: it was made and not marked yet, and its maker may be gone. Then its name and its user say whose it is. */
  readonly mark: Mark | null;
  /** Made as a copy, and not marked yet: it has the mark of that machine. */
  readonly copyOf: Mark | null;
  /** There may be a mark all the same: it could not be read now. */
  readonly isUnreadable: boolean;
}

/** Null for an unmanaged machine, a snapshot, and a copy that somebody else has made. */
export async function ownedOf(
  { marks }: Pick<OrbstackContext, "marks">,
  call: Call,
  machine: WireMachine,
): Promise<Owned | null> {
  if (!mayBeOurs(machine)) return null;
  const found = await marks.read(call, machine);
  if (found.mark !== null) return { machine, ...found };
  const isHalfMade = isOurUser(machine.config.default_username) && isInstanceName(machine.name);
  return isHalfMade ? { machine, ...found } : null;
}

/** Whoever is renamed still has the user, and whose user was changed still has the name. */
export function mayBeOurs({ name, config, builtin }: WireMachine): boolean {
  return !builtin && !isSnapshotName(name) && (isInstanceName(name) || isOurUser(config.default_username));
}

export function ownerOf({ machine, mark }: Owned, self: string): string | null {
  if (mark !== null) return mark.owner;
  return isNamedBy(self, machine.name) ? self : null;
}

export function isOwnedBy(owned: Owned, owner: string, self: string): boolean {
  return (
    owner === "*" || ownerOf(owned, self) === owner || (owned.mark === null && isNamedBy(owner, owned.machine.name))
  );
}

/** Is it the one of this key? */
export function hasKey({ machine, mark }: Owned, owner: string, key: string): boolean {
  return mark === null ? machine.name === nameFor(owner, key) : mark.owner === owner && mark.key === key;
}
