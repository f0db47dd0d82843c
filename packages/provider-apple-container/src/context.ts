import type { Clock, Logger } from "@slipway/core";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { AppleContainerClient } from "./client.ts";

/** What the methods of one provider, and its clusters, have in common. */
export interface AppleContainerContext {
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: AppleContainerClient;
  /** One work at a time for each container. */
  readonly keyedMutex: KeyedMutex;
  /** For a spawn that names none. */
  readonly image: string;
  /** The option `network` was asked for. */
  readonly networks: boolean;
}

/**
 * The command knows a container by its name alone, and the name follows from the key. So that an id never means a later
 * container of the same key, it is the name, a dot, and the generation, which stands in a label.
 */
interface ContainerId {
  readonly name: string;
  /** Null in a bare name: then whatever bears it. */
  readonly generation: string | null;
}

// The command's own rule for names; nothing else reaches an argument list.
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,62}$/;
// Only names of `nameFor` have a generation: that of an unmanaged machine may end in anything.
const OURS = /^(slip-[a-z2-7]{8}-[a-z2-7]{20})\.([0-9a-f]{12})$/;

/** Null for what cannot be an id. */
export function parseId(id: string): ContainerId | null {
  const [, name, generation] = OURS.exec(id) ?? [];
  if (name !== undefined && generation !== undefined) return { name, generation };
  return NAME.test(id) ? { name: id, generation: null } : null;
}

export function formatId(name: string, generation: string): string {
  return generation === "" ? name : `${name}.${generation}`;
}

export function newGeneration(): string {
  return process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex");
}
