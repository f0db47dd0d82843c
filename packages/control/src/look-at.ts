import type { Instance, Provider } from "@slipway/core";
import { mendsItself, type Poll } from "./poll.ts";
import type { SharedLooks } from "./shared-looks.ts";

interface Wanted {
  /** Must a read show the instance by now, however late reads may be? */
  readonly mustShow: () => boolean;
  /** Would this end the wait? Then `get` has the last word, since it may ask more than a listing. */
  readonly isFinal: (listed: Instance) => boolean;
}

/** A look: the instance, null if there is none, or how many milliseconds a failed look asks to wait at least. */
export type Look = () => Promise<Instance | null | number>;

/**
 * Looks at one instance, out of the shared listing where that says enough. An instance that a listing does not show is
 * looked for with `get`, once as long as reads may be late: its absence alone proves nothing.
 */
export function lookerAt(
  provider: Provider,
  id: string,
  poll: Poll,
  looks: SharedLooks,
  { mustShow, isFinal }: Wanted,
): Look {
  let wasUnseen = false;
  return async () => {
    try {
      const { isShared, instance } = await looks.look(id, poll.signal);
      if (instance !== null && !isFinal(instance)) return instance;
      if (instance === null && isShared && wasUnseen && !mustShow()) return null;
      const seen = await provider.get(id, { signal: poll.signal });
      wasUnseen = seen === null;
      return seen;
    } catch (error) {
      poll.check();
      const waitMs = mendsItself(error);
      if (waitMs === null) throw error;
      return waitMs;
    }
  };
}
