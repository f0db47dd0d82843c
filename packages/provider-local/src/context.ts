import type { Clock, Logger } from "@slipway/core";
import type { IsolationReport } from "@slipway/provider-kit/sandbox";
import type { State } from "./state/state.ts";

/** What every part of one provider works with. */
export interface LocalContext {
  readonly owner: string;
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  /** Which isolation this machine has; found out once. Throws where the one that was asked for does not work. */
  readonly isolation: () => Promise<IsolationReport>;
}

const ID = /^(slip-[a-z2-7]{8}-[a-z2-7]{20})-[0-9a-f]{8}$/;

/** An id is the name and a part of its own, so that a key's next instance is not taken for the one before. */
export function newId(name: string): string {
  return `${name}-${process.getBuiltinModule("node:crypto").randomBytes(4).toString("hex")}`;
}

/** The name in an id; null if it is no id of ours. */
export function nameOf(id: string): string | null {
  return ID.exec(id)?.[1] ?? null;
}
