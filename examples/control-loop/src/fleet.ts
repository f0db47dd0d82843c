import { apply, type LaunchStore, launch, reconcile } from "@slipway/control";
import {
  type Clock,
  type Instance,
  isProviderError,
  type Provider,
  type ProviderError,
  systemClock,
} from "@slipway/core";

export interface FleetOptions {
  readonly provider: Provider;
  /** Where launches are written down: with `fileStore` the loop may be killed at any moment. */
  readonly store: LaunchStore;
  /** One instance is kept for each of these. */
  readonly keys: readonly string[];
  /** What every instance runs. */
  readonly script: string;
  readonly clock?: Clock | undefined;
}

/** What one turn has seen and done. */
export interface Turn {
  readonly running: readonly string[];
  /** Ended, because they were not what they should be: the next turn launches others. */
  readonly replaced: readonly string[];
  /** What failed, and is tried again by the next turn. */
  readonly failures: readonly ProviderError[];
}

/**
 * A small control plane: it launches what should be there, looks at what is there, ends what should not be, and begins
 * again. It keeps nothing in memory between turns. Works on any provider.
 */
export interface Fleet {
  readonly turn: () => Promise<Turn>;
  /** Ends all of this owner's instances; answers how many are left, which is 0 unless something failed. */
  readonly drain: () => Promise<number>;
}

const HEALTHY: ReadonlySet<string> = new Set(["pending", "running"]);

export function fleet(options: FleetOptions): Fleet {
  const { provider, store, keys, script, clock = systemClock } = options;
  const bookkeeping = { store, clock };

  /** Ends what nobody asked for, and forgets what is gone. */
  async function tidy(): Promise<void> {
    await apply(provider, await reconcile(provider, bookkeeping), bookkeeping);
  }

  async function keep(key: string): Promise<{ readonly instance: Instance; readonly isHealthy: boolean }> {
    const launched = await launch(provider, { key, bootstrap: { script } }, bookkeeping);
    const instance = (await provider.get(launched.id)) ?? launched;
    const isHealthy = HEALTHY.has(instance.status);
    // It was stopped, or broke: what runs on it is stateless, so another takes its place.
    if (!isHealthy) await provider.terminate(instance.id);
    return { instance, isHealthy };
  }

  return {
    turn: async () => {
      const failures: ProviderError[] = [];
      const attempt = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
        try {
          return await act();
        } catch (error) {
          if (!isProviderError(error)) throw error;
          failures.push(error);
          return undefined;
        }
      };
      await attempt(tidy);
      const kept = [];
      for (const key of keys) kept.push(await attempt(() => keep(key)));
      const seen = kept.filter((each) => each !== undefined);
      return {
        running: seen.filter(({ isHealthy }) => isHealthy).map(({ instance }) => instance.id),
        replaced: seen.filter(({ isHealthy }) => !isHealthy).map(({ instance }) => instance.id),
        failures,
      };
    },
    drain: async () => {
      // One that cannot be ended keeps none of the others alive: it is counted.
      await Promise.allSettled((await provider.list()).map(({ id }) => provider.terminate(id)));
      await clock.sleep(provider.limits.readAfterWriteMs);
      return (await provider.list()).length;
    },
  };
}
