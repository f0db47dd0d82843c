import type { Clock } from "@slipway/core";
import type { InTurn, Recent } from "@slipway/provider-kit/limits";
import type { LambdaClient } from "./client.ts";
import type { LambdaInstance } from "./instance.ts";
import type { WireFileSystem } from "./wire.ts";

/** What the methods of one provider have in common. */
export interface LambdaContext {
  readonly owner: string;
  readonly regions: readonly [string, ...string[]];
  readonly sshKeyName: string | undefined;
  readonly readAfterWriteMs: number;
  readonly clock: Clock;
  readonly client: LambdaClient;
  readonly inTurn: InTurn;
  /** Bodies of SSH keys that were looked up, and the account's names for them. */
  readonly keyNames: Map<string, string>;
  /** Launched a moment ago, by key. */
  readonly launched: Recent<LambdaInstance>;
  /** Accepted for termination a moment ago. */
  readonly ended: Recent<true>;
  /** Created a moment ago, by key. */
  readonly created: Recent<WireFileSystem>;
}

// Lambda's ids are 32 hex digits today; what could be one is asked for, and nothing else reaches a path.
const ID = /^[A-Za-z0-9-]{1,64}$/;

export function isId(id: string): boolean {
  return ID.test(id);
}
