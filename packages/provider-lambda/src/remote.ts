import type { Clock, SpawnOptions } from "@slipway/core";
import type { WriteCache } from "@slipway/provider-kit/driver";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { LambdaClient } from "./client.ts";
import type { WireFileSystem } from "./wire.ts";

export const PROVIDER = "lambda";
/** An error of this package itself; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

export type LambdaCapability = "gpu" | "multiRegion" | "persistentVolumes";
export type LambdaSpawnOptions = SpawnOptions<LambdaCapability>;

/** One account at Lambda, as the parts of the driver use it. */
export interface LambdaRemote {
  readonly owner: string;
  readonly regions: readonly [string, ...string[]];
  readonly sshKeyName: string | undefined;
  readonly clock: Clock;
  readonly client: LambdaClient;
  readonly mutex: KeyedMutex;
  /** Bodies of SSH keys that were looked up, and the account's names for them. */
  readonly keyNames: Map<string, string>;
  readonly volumeCache: WriteCache<WireFileSystem>;
}

// Lambda's ids are 32 hex digits today; what could be one is asked for, and nothing else reaches a path.
const ID = /^[A-Za-z0-9-]{1,64}$/;

export function isId(id: string): boolean {
  return ID.test(id);
}
