import { type Store, StoreError } from "../src/index.ts";

/** One host's store: its leases can be lost while it lives, and its writes are refused from then on. */
export interface Host {
  readonly store: Store;
  /** `told`: it notices at once, as by its clock. Otherwise it learns of it at its next write. */
  readonly loseLeases: (told: boolean) => Promise<void>;
}

export function newHost(shared: Store): Host {
  const held = new Map<string, { readonly lost: AbortController; readonly token: string }>();
  const fenced =
    <A extends readonly unknown[]>(work: (id: string, ...rest: A) => Promise<void>) =>
    async (id: string, ...rest: A): Promise<void> => {
      if (!held.has(id)) throw new StoreError("NOT_HELD", { message: "not held", hint: "Take the lease." });
      await work(id, ...rest);
    };
  const loseLeases: Host["loseLeases"] = async (told) => {
    for (const [id, { lost, token }] of [...held]) {
      held.delete(id);
      await shared.release({ id, token, signal: lost.signal, held: () => false });
      if (told) lost.abort();
    }
  };
  const store: Store = {
    ...shared,
    exclusion: "expiring",
    acquire: async (id) => {
      const lease = await shared.acquire(id);
      if (lease === null) return null;
      const lost = new AbortController();
      held.set(id, { lost, token: lease.token });
      return { ...lease, signal: lost.signal, held: () => !lost.signal.aborted };
    },
    write: fenced(shared.write),
    appendStep: shared.appendStep && fenced(shared.appendStep),
    remove: fenced(shared.remove),
    release: async (lease) => {
      if (held.get(lease.id)?.token === lease.token) held.delete(lease.id);
      await shared.release(lease);
    },
  };
  return { store, loseLeases };
}
