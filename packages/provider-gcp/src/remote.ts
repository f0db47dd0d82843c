import type { Clock, SpawnOptions } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { GcpClient } from "./client.ts";

export const PROVIDER = "gcp";
/** An error of this package itself; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

export type GcpCapability =
  | "spot"
  | "gpu"
  | "multiRegion"
  | "persistentVolumes"
  | "hibernation"
  | "customNetworking"
  | "snapshots"
  | "terminateBy";
export type GcpSpawnOptions = SpawnOptions<GcpCapability> & {
  /** One of the configured zones. Absent: it follows from owner, key and region. */
  readonly zone?: string | undefined;
};

/** One project at Google, as the parts of the driver use it. */
export interface GcpRemote {
  readonly owner: string;
  readonly project: string;
  /** The configured zones, in order; at least one. */
  readonly zones: readonly string[];
  readonly regions: readonly string[];
  readonly defaultSpec: string;
  readonly image: string;
  readonly bootDisk: { readonly sizeGb: number | undefined; readonly type: string | undefined };
  readonly network: string | undefined;
  readonly subnetwork: string | undefined;
  readonly hasPublicAddress: boolean;
  readonly serviceAccount: string | undefined;
  readonly sshUser: string;
  readonly spotTermination: "DELETE" | "STOP";
  readonly clock: Clock;
  readonly client: GcpClient;
}

/** A zone is its region, a dash and one more part: `europe-west1-b` is in `europe-west1`, and never in `europe-west10`. */
export function regionOf(zone: string): string {
  return zone.slice(0, zone.lastIndexOf("-"));
}

export interface Address {
  readonly project: string;
  readonly zone: string;
  readonly name: string;
  readonly number: string;
}

const ID = /^([a-z0-9.:-]{1,127})\/([a-z][-a-z0-9]{0,62})\/([a-z][-a-z0-9]{0,62})\/([1-9][0-9]{0,19})$/;
const NUMBER = /^[1-9][0-9]{0,19}$/;

export function isId(id: string): boolean {
  return ID.test(id) || NUMBER.test(id);
}

export function composeId({ project, zone, name, number }: Address): string {
  return `${project}/${zone}/${name}/${number}`;
}

/** Null for a bare number, which names an instance but no place. */
export function addressOf(id: string): Address | null {
  const [, project, zone, name, number] = ID.exec(id) ?? [];
  if (project === undefined || zone === undefined || name === undefined || number === undefined) return null;
  return { project, zone, name, number };
}

/** The native id: the number that Google gives to one incarnation. */
export function numberOf(id: string): string {
  return addressOf(id)?.number ?? id;
}
