import type { BootstrapState, Instance } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
import { placeOf, type SshHost } from "./options.ts";
import type { Claim } from "./wire.ts";

/** A host and the claim that holds it: what the life cycle takes for a machine. */
export interface Held {
  readonly host: SshHost;
  readonly claim: Claim;
}

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

export function toInstance({ host, claim }: Held, shared: InstanceBase): SshInstance {
  const { specHash: _specHash, remoteName: _remoteName, ...base } = shared;
  const bootstrap = bootstrapOf(claim.bootstrap);
  return {
    ...base,
    host: host.name,
    zone: placeOf(host),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    addresses: {},
    isSpot: false,
    createdAt: claim.ownership?.createdAt ?? null,
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
