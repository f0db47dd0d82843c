import { type Clock, type Provider, systemClock } from "@slipway/core";

/** What the rows of the error table need of a harness, which a projected provider does not show. */
interface Harnessed {
  readonly directory: string;
  readonly clock: HurryingClock;
}

/** The machine's own time, until it is in a hurry: then each sleep counts as the longest that anybody waits for a lock. */
export interface HurryingClock extends Clock {
  /** Until the answer is called. */
  readonly hurry: () => () => void;
}

const LONGEST_WAIT_MS = 600_000;

export function hurryingClock(): HurryingClock {
  let ahead = 0;
  let hurries = false;
  return {
    now: () => systemClock.now() + ahead,
    sleep: async (ms, signal) => {
      await systemClock.sleep(ms, signal);
      if (hurries) ahead += LONGEST_WAIT_MS;
    },
    hurry: () => {
      hurries = true;
      return () => {
        hurries = false;
      };
    },
  };
}

const harnesses = new Map<string, Harnessed>();

export function rememberStateDirectory(owner: string, harness: Harnessed): void {
  harnesses.set(owner, harness);
}

export function forgetStateDirectory(owner: string): void {
  harnesses.delete(owner);
}

/** Where the provider of this owner keeps its state. */
export function stateDirectoryOf(provider: Pick<Provider, "owner">): string {
  return harnessOf(provider).directory;
}

/** Its patience is short until the answer is called, however slow the machine is. */
export function hurry(provider: Pick<Provider, "owner">): () => void {
  return harnessOf(provider).clock.hurry();
}

function harnessOf({ owner }: Pick<Provider, "owner">): Harnessed {
  const harness = harnesses.get(owner);
  if (harness === undefined) throw new Error(`no harness has the owner ${owner}`);
  return harness;
}
