import type { Clock } from "@slipway/core";
import type { RunpodClient } from "./client.ts";
import type { Readiness } from "./readiness.ts";
import type { SshKeys } from "./ssh-keys.ts";
import type { Cloud } from "./wire.ts";

/** What the methods of one provider have in common. */
export interface RunpodContext {
  /** Undefined: wherever RunPod has data centres. */
  readonly dataCenters: readonly string[] | undefined;
  /** Those that a spawn may use, in this order. */
  readonly clouds: readonly Cloud[];
  readonly image: string;
  readonly diskGb: number;
  readonly clock: Clock;
  readonly client: RunpodClient;
  readonly readiness: Readiness;
  readonly sshKeys: SshKeys;
}

// What could be an id of RunPod's is asked for; nothing else reaches a path.
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export function isId(id: string): boolean {
  return ID.test(id);
}
