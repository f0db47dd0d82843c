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
