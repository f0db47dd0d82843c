import { abortError } from "@slipway/core";
import type { Call } from "./client.ts";
import { PROVIDER } from "./errors.ts";

/** Runs works under one name one after the other; whoever gives up while waiting has done nothing. */
export interface OneAtATime {
  readonly run: <T>(name: string, call: Call, work: () => Promise<T>) => Promise<T>;
}

export function oneAtATime(): OneAtATime {
  const last = new Map<string, Promise<void>>();
  return {
    run: async (name, call, work) => {
      const before = last.get(name) ?? Promise.resolve();
      let done: () => void = () => undefined;
      const mine = before.then(() => new Promise<void>((resolve) => (done = resolve)));
      last.set(name, mine);
      void mine.then(() => {
        if (last.get(name) === mine) last.delete(name);
      });
      try {
        await waiting(before, call);
        return await work();
      } finally {
        // Also for who gave up: `done` is set once those before are through.
        void before.then(() => done());
      }
    },
  };
}

async function waiting(before: Promise<void>, { signal, operation }: Call): Promise<void> {
  if (signal === undefined) return await before;
  await new Promise<void>((resolve, reject) => {
    const gaveUp = (): void => reject(abortError(signal, { provider: PROVIDER, operation, effect: "none" }));
    if (signal.aborted) return gaveUp();
    signal.addEventListener("abort", gaveUp, { once: true });
    void before.then(() => {
      signal.removeEventListener("abort", gaveUp);
      resolve();
    });
  });
}
