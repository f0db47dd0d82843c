import { type Lease, memoryStore, type Store, StoreError } from "@slipway/control";
import type { StoreExpiry, StoreFixture } from "../src/stores.ts";

/** How a store with leases that expire can be wrong. */
export interface Weakness {
  /** It never renews. */
  readonly lazy?: boolean;
  /** It tells the holder of the loss only when somebody else may have the lease for long. */
  readonly late?: boolean;
  /** It does not look at the token before it writes. */
  readonly unfenced?: boolean;
  /** It does not look at the expiry before it writes. */
  readonly endless?: boolean;
  /** A new lease of the same object brings its lost ones back. */
  readonly forgiving?: boolean;
}

const EXPIRY_MS = 1000;

/** A model of a database with lease rows: its own clock, and clients that renew and can be cut off. */
export function expiringFixture(weak: Weakness = {}): StoreFixture {
  const clients: Client[] = [];
  const storage: Storage = { now: 0, rows: new Map(), records: memoryStore() };
  const open = (): Store => {
    const client = new Client(storage, weak);
    clients.push(client);
    return client.store;
  };
  const store = open();
  const expiry: StoreExpiry = {
    ms: EXPIRY_MS,
    pass: async (ms) => {
      const until = storage.now + ms;
      while (storage.now < until) {
        storage.now = Math.min(until, storage.now + EXPIRY_MS / 40);
        for (const client of clients) client.tick();
      }
    },
    cutOff: async () => clients[0]?.setConnected(false),
    reconnect: async () => clients[0]?.setConnected(true),
  };
  return { store, reopen: open, pooled: open, expiry };
}

interface Storage {
  now: number;
  readonly rows: Map<string, { token: string; expires: number }>;
  readonly records: Store;
}

interface Held {
  readonly token: string;
  readonly lost: AbortController;
  /** When it was asked for the last time that it was given. */
  renewedAt: number;
}

class Client {
  readonly #storage: Storage;
  readonly #weak: Weakness;
  readonly #held = new Map<string, Held>();
  #connected = true;

  constructor(storage: Storage, weak: Weakness) {
    this.#storage = storage;
    this.#weak = weak;
  }

  setConnected(connected: boolean): void {
    this.#connected = connected;
  }

  tick(): void {
    for (const [id, held] of this.#held) {
      if (!this.#isHeld(held)) held.lost.abort();
      const row = this.#storage.rows.get(id);
      const due = this.#storage.now - held.renewedAt >= EXPIRY_MS / 3;
      if (!due || !this.#connected || this.#weak.lazy === true) continue;
      if (row?.token !== held.token || row.expires <= this.#storage.now) continue;
      held.renewedAt = this.#storage.now;
      row.expires = this.#storage.now + EXPIRY_MS;
    }
  }

  #isHeld(held: Held): boolean {
    const margin = this.#weak.late === true ? 3 * EXPIRY_MS : EXPIRY_MS;
    return this.#storage.now < held.renewedAt + margin;
  }

  #reach(): void {
    if (!this.#connected) throw new StoreError("UNAVAILABLE", { message: "cut off", hint: "Wait, then try again." });
  }

  async #acquire(id: string): Promise<Lease | null> {
    this.#reach();
    const { rows, now } = this.#storage;
    const row = rows.get(id);
    if (row !== undefined && row.expires > now) return null;
    const token = crypto.randomUUID();
    rows.set(id, { token, expires: now + EXPIRY_MS });
    const held: Held = { token, lost: new AbortController(), renewedAt: now };
    this.#held.set(id, held);
    const isHeld = (): boolean =>
      (this.#weak.forgiving === true || this.#held.get(id) === held) && this.#isHeld(this.#held.get(id) ?? held);
    return { id, token, signal: held.lost.signal, held: () => this.#held.has(id) && isHeld() };
  }

  #mustHold(id: string): void {
    this.#reach();
    const { rows, now } = this.#storage;
    const row = rows.get(id);
    const held = this.#held.get(id);
    const isOwn = this.#weak.unfenced === true || row?.token === held?.token;
    const isAlive = this.#weak.endless === true || (row?.expires ?? 0) > now;
    if (row !== undefined && held !== undefined && isOwn && isAlive) return;
    throw new StoreError("NOT_HELD", { message: `the lease of ${id} is not held`, hint: "Take it with acquire." });
  }

  async #put(id: string, work: () => Promise<void>): Promise<void> {
    this.#mustHold(id);
    const lease = await this.#storage.records.acquire(id);
    await work();
    if (lease !== null) await this.#storage.records.release(lease);
  }

  get store(): Store {
    const { records, rows } = this.#storage;
    return {
      acquire: (id) => this.#acquire(id),
      read: async (id) => {
        this.#reach();
        return await records.read(id);
      },
      write: (id, record) => this.#put(id, () => records.write(id, record)),
      appendStep: (id, step) => this.#put(id, async () => records.appendStep?.(id, step)),
      remove: (id) => this.#put(id, () => records.remove(id)),
      release: async ({ id, token }) => {
        this.#reach();
        if (this.#held.get(id)?.token === token) this.#held.delete(id);
        if (rows.get(id)?.token === token) rows.delete(id);
      },
      entries: (filter) => records.entries(filter),
      exclusion: "expiring",
    };
  }
}
