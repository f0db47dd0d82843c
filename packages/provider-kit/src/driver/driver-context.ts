import { abortError, type BaseListFilter, type BaseSpawnOptions, type Clock, isProviderError } from "@slipway/core";
import { type Refusal, withEffect } from "../errors/refusal.ts";
import type { KeyedMutex } from "../limits/keyed-mutex.ts";
import type { Call } from "./driver.ts";
import type { WriteCache } from "./write-cache.ts";

/** What the kit reads of any provider's options, whatever its capabilities add. */
export type AnySpawnOptions = BaseSpawnOptions & { readonly region?: string | undefined };
export type AnyListFilter = BaseListFilter & { readonly region?: string | undefined };

/** What the methods of one provider have in common. */
export interface DriverContext<M> {
  readonly provider: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly readAfterWriteMs: number;
  /** The configured regions; undefined where the remote has none, or all are allowed. */
  readonly regions: readonly string[] | undefined;
  readonly refuse: Refusal;
  /** A keyed mutex: works under one name come one after the other in this process. */
  readonly mutex: KeyedMutex;
  readonly writeCache: WriteCache<M>;
}

/** Waits; an abort rejects with the effect that the call has had so far. */
export async function pause(
  { clock, provider }: Pick<DriverContext<unknown>, "clock" | "provider">,
  { operation, signal }: Call,
  ms: number,
  effect: "none" | "unknown",
): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    throw signal === undefined ? error : abortError(signal, { provider, operation, effect });
  }
}

/** The failure of something that follows a write: the write has had its effect. */
export function applied(error: unknown): unknown {
  return isProviderError(error) && error.effect === "none" ? withEffect(error, "applied") : error;
}
