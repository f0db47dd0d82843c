import type { Clock } from "@slipway/core";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { SshClient } from "./client.ts";
import type { SshHost } from "./options.ts";

/** What the methods of one provider have in common. */
export interface SshContext {
  readonly owner: string;
  readonly hosts: readonly SshHost[];
  readonly clock: Clock;
  readonly client: SshClient;
  readonly keyedMutex: KeyedMutex;
}
