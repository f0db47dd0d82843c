import type { BootstrapState, Instance } from "@slipway/core";
import { PROVIDER } from "./errors.ts";
import type { SshHost } from "./options.ts";
import type { Claim } from "./wire.ts";

/** A host that is claimed. */
export interface SshInstance extends Instance {
  /** As ssh takes it. */
  readonly host: string;
  readonly zone: string;
  readonly name?: string;
}

const STATES: ReadonlyMap<string, BootstrapState> = new Map([
  ["running", { state: "running" }],
  ["lost", { state: "failed" }],
]);

/** The id names the place and the claim: enough for any process that has the same hosts. */
export function idOf(host: SshHost, claim: string): string {
  return `${placeOf(host)}/${claim}`;
}

export function placeOf({ name, directory }: SshHost): string {
  return directory === undefined ? name : `${name}:${directory}`;
}

export function materialize(host: SshHost, { id, bootstrap, ownership }: Claim): SshInstance {
  const state = bootstrapOf(bootstrap);
  return {
    id: idOf(host, id),
    nativeId: id,
    provider: PROVIDER,
    // The machine was there before, and is there after.
    status: "running",
    key: ownership?.key ?? null,
    owner: ownership?.owner ?? null,
    host: host.name,
    zone: placeOf(host),
    ...(ownership?.displayName === undefined ? {} : { name: ownership.displayName }),
    ...(state === undefined ? {} : { bootstrap: state }),
    addresses: {},
    isSpot: false,
    labels: ownership?.labels ?? {},
    createdAt: ownership?.createdAt ?? null,
    ...(ownership?.expiresAt === undefined ? {} : { expiresAt: ownership.expiresAt }),
  };
}

function bootstrapOf(text: string): BootstrapState | undefined {
  if (text === "none") return undefined;
  const known = STATES.get(text);
  if (known !== undefined) return known;
  const exitCode = Number(text);
  return Number.isInteger(exitCode)
    ? { state: exitCode === 0 ? "succeeded" : "failed", exitCode }
    : { state: "unknown" };
}
