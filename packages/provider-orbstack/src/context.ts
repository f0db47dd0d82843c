import type { Clock, Logger } from "@slipway/core";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { Breaker } from "./breaker.ts";
import type { OrbstackClient } from "./client.ts";
import type { Queues } from "./queues.ts";
import type { TagReader } from "./tag-reader.ts";

/** What the methods of one provider have in common. */
export interface OrbstackContext {
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: OrbstackClient;
  readonly tags: TagReader;
  /** One work at a time for each machine. */
  readonly keyedMutex: KeyedMutex;
  /** Creations slow each other down: no more than two at once. */
  readonly making: Queues;
  readonly breaker: Breaker;
  /** For a spawn that names none. */
  readonly image: string;
  readonly isolated: boolean;
}
