import { isProviderError, type Provider, ProviderError } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import { isStoreError, launch, launchId, memoryStore, reconcile, type Store, StoreError } from "../src/index.ts";
import { type Host, newHost } from "./expiring-host.ts";
import { living, newWorld, plainProvider, safeProvider, setStatus, type World } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

const recordId = launchId({ provider: "scripted", account: "", owner: "tests", key: "k" });
let clock: SimulatedClock;
let world: World;
let shared: Store;
let slow: Host;
let provider: Provider;

beforeEach(() => {
  clock = simulatedClock();
  world = newWorld(clock);
  shared = memoryStore();
  slow = newHost(shared);
  provider = plainProvider(world);
});

const alive = () => living(world, "k").map(({ id }) => id);
const elsewhere = (more: object = {}) =>
  launch(plainProvider(world), { key: "k", ...more }, { store: newHost(shared).store, clock });
/** Launches on the slow host; `meanwhile` happens when its request is on the way, before or after it arrives. */
function launchSlowly(meanwhile: () => Promise<unknown>, arrives: "before" | "after" = "after", told = false) {
  const spawn: Provider["spawn"] = async (options) => {
    const made = arrives === "before" ? await provider.spawn(options) : null;
    await slow.loseLeases(told);
    await meanwhile();
    return made ?? (await provider.spawn(options));
  };
  return launch({ ...provider, spawn }, { key: "k", spec: "s" }, { store: slow.store, clock });
}
/** Another host launches the key, and knows nothing of the slow one. */
async function replaceElsewhere(more: object = { spec: "s" }): Promise<string> {
  const lease = await shared.acquire(recordId);
  await shared.remove(recordId);
  if (lease !== null) await shared.release(lease);
  return (await elsewhere(more)).id;
}
async function storeFailure(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (isStoreError(error)) return error;
  throw error;
}

describe("a lease that is lost while its holder lives", () => {
  test("before the request: nothing is sent", async () => {
    const failpoint = async (name: string) => {
      if (name === "after-intent") await slow.loseLeases(true);
    };
    const error = await storeFailure(launch(provider, { key: "k" }, { store: slow.store, clock, failpoint }));
    expect(error.code).toBe("NOT_HELD");
    expect(world.calls).toEqual([]);
  });

  test("while it waits for a name that is still held: nothing more is sent", async () => {
    let sent = 0;
    const spawn: Provider["spawn"] = async () => {
      sent += 1;
      await slow.loseLeases(true);
      throw new ProviderError("BUSY", { message: "held", provider: "scripted", operation: "spawn", effect: "none" });
    };
    const launching = launch({ ...provider, spawn }, { key: "k" }, { store: slow.store, clock });
    expect((await storeFailure(launching)).code).toBe("NOT_HELD");
    expect(sent).toBe(1);
  });

  test("on the way, the call's signal says so", async () => {
    let seen: unknown;
    const spawn: Provider["spawn"] = async ({ signal }) => {
      await slow.loseLeases(true);
      seen = signal?.aborted;
      throw new ProviderError("CANCELLED", {
        message: "cut",
        provider: "scripted",
        operation: "spawn",
        effect: "none",
      });
    };
    const launching = launch({ ...provider, spawn }, { key: "k" }, { store: slow.store, clock });
    expect((await storeFailure(launching)).code).toBe("NOT_HELD");
    expect(seen).toBe(true);
  });

  test("and the request that was cut off for it made nothing: the caller, who cancelled nothing, hears of the lease", async () => {
    const spawn: Provider["spawn"] = async () => {
      await slow.loseLeases(true);
      const message = "spawn was cancelled";
      throw new ProviderError("CANCELLED", { message, provider: "scripted", operation: "spawn", effect: "unknown" });
    };
    const launching = launch({ ...provider, spawn }, { key: "k" }, { store: slow.store, clock });
    expect(await storeFailure(launching)).toMatchObject({
      code: "NOT_HELD",
      message: expect.stringContaining("made nothing"),
    });
    expect(await shared.read(recordId)).toMatchObject({ state: "refused" });
    expect((await elsewhere()).id).toBe(alive()[0]);
  });

  test.each(["before", "after"] as const)(
    "and another host launched the key (its request arrived %s): the second instance is ended by its own launcher",
    async (arrives) => {
      let first = "";
      const answered = await launchSlowly(async () => {
        first = await replaceElsewhere();
      }, arrives);
      expect(alive()).toEqual([first]);
      expect(answered.id).toBe(first);
      expect(await shared.read(recordId)).toMatchObject({ state: "launched", instanceId: first });
      clock.advance(2 * world.lagMs);
      expect((await reconcile(provider, { store: shared, clock })).items).toEqual([]);
      expect(await shared.acquire(recordId)).not.toBeNull();
    },
  );

  test("and the key stands for other options by now: its own instance is ended, and the caller hears of it", async () => {
    let first = "";
    const launching = launchSlowly(async () => {
      first = await replaceElsewhere({ spec: "other" });
    });
    await expect(launching).rejects.toSatisfy(
      (error) => isProviderError(error, "CONFLICT") && error.native?.id === first,
    );
    expect(alive()).toEqual([first]);
  });

  test("and another host found what was made: both have the same one", async () => {
    let first = "";
    const answered = await launchSlowly(async () => {
      clock.advance(2 * world.lagMs);
      first = (await elsewhere({ spec: "s" })).id;
    }, "before");
    expect(answered.id).toBe(first);
    expect(alive()).toEqual([first]);
  });

  test("and nobody took it: it is taken again, and the id is recorded", async () => {
    const answered = await launchSlowly(async () => undefined);
    expect(alive()).toEqual([answered.id]);
    expect(await shared.read(recordId)).toMatchObject({ state: "launched", instanceId: answered.id });
  });

  test("and what the other host launched is gone again: its own instance is the key's", async () => {
    const answered = await launchSlowly(async () => {
      const { id } = await elsewhere({ spec: "s" });
      setStatus(world, id, "terminated");
      clock.advance(2 * world.lagMs);
    });
    expect(alive()).toEqual([answered.id]);
    expect(await shared.read(recordId)).toMatchObject({ instanceId: answered.id });
  });

  test("and the other host died before it knew its own answer: one of the two stays", async () => {
    await launchSlowly(async () => {
      const failpoint = (name: string) => {
        if (name === "after-spawn") throw new Error("killed");
      };
      const dying = { store: newHost(shared).store, clock, failpoint };
      await launch(plainProvider(world), { key: "k", spec: "s" }, dying).catch(() => undefined);
      clock.advance(2 * world.lagMs);
    });
    const [id, ...more] = alive();
    expect(more).toEqual([]);
    expect(await shared.read(recordId)).toMatchObject({ state: "launched", instanceId: id });
  });

  test("and the answer was cut off: what arrived is found beside the other host's instance, and ended", async () => {
    let first = "";
    const spawn: Provider["spawn"] = async (options) => {
      await slow.loseLeases(true);
      first = await replaceElsewhere();
      await provider.spawn({ ...options, signal: undefined });
      throw new ProviderError("CANCELLED", {
        message: "cut",
        provider: "scripted",
        operation: "spawn",
        effect: "unknown",
      });
    };
    const answered = await launch({ ...provider, spawn }, { key: "k", spec: "s" }, { store: slow.store, clock });
    expect(answered.id).toBe(first);
    expect(alive()).toEqual([first]);
  });

  test("and the answer was cut off, and nobody else launched: what arrived is found and recorded", async () => {
    const spawn: Provider["spawn"] = async (options) => {
      await slow.loseLeases(true);
      await provider.spawn({ ...options, signal: undefined });
      throw new ProviderError("CANCELLED", {
        message: "cut",
        provider: "scripted",
        operation: "spawn",
        effect: "unknown",
      });
    };
    const answered = await launch({ ...provider, spawn }, { key: "k", spec: "s" }, { store: slow.store, clock });
    expect(alive()).toEqual([answered.id]);
  });

  test("and another host works with the key for long: the instance is named, and nothing is ended blindly", async () => {
    const launching = launchSlowly(() => shared.acquire(recordId));
    const error = await storeFailure(launching);
    expect(error.code).toBe("NOT_HELD");
    const [id = ""] = alive();
    expect(error.message).toContain(id);
    expect(error.hint).toContain("reconcile");
  });

  test("and its own instance cannot be ended: it is named", async () => {
    const no = new ProviderError("AUTH_ERROR", {
      message: "no",
      provider: "scripted",
      operation: "terminate",
      effect: "none",
    });
    world.terminateFaults.push(no);
    const launching = launchSlowly(async () => {
      await replaceElsewhere();
    });
    const error = await storeFailure(launching);
    expect(error.code).toBe("NOT_HELD");
    expect(error.message).toContain(alive()[1] ?? "");
  });

  test("and the remote cannot be read then: the instance is named, and the error does not say that nothing was done", async () => {
    const launching = launchSlowly(async () => {
      await replaceElsewhere();
      world.readFaults.push(
        new ProviderError("AUTH_ERROR", { message: "no", provider: "scripted", operation: "get", effect: "none" }),
      );
    });
    const error = await storeFailure(launching);
    expect(error.code).toBe("NOT_HELD");
    expect(error.message).toContain(alive()[1] ?? "");
  });

  test("and the store cannot be reached for a while: it is waited for, and the id is recorded", async () => {
    let down = 0;
    const { store } = slow;
    const acquire: Store["acquire"] = async (id) => {
      if (down-- > 0) throw new StoreError("UNAVAILABLE", { message: "down", hint: "Wait." });
      return store.acquire(id);
    };
    slow = { ...slow, store: { ...store, acquire } };
    const answered = await launchSlowly(async () => {
      down = 3;
    });
    expect(await shared.read(recordId)).toMatchObject({ state: "launched", instanceId: answered.id });
  });

  test("and the store fails then: the instance is named", async () => {
    const { store } = slow;
    let reads = 0;
    const read: Store["read"] = async (id) => {
      // The record, and the choice of `launchAnywhere`, are read before the spawn.
      if (++reads > 2) throw new StoreError("IO", { message: "broken", hint: "Look at the disk." });
      return store.read(id);
    };
    slow = { ...slow, store: { ...store, read } };
    const error = await storeFailure(launchSlowly(async () => undefined));
    expect(error.code).toBe("IO");
    expect(error.message).toContain(alive()[0] ?? "?");
  });

  test("and the answer was lost and nobody noticed the loss of the lease: what arrived is ended all the same", async () => {
    let first = "";
    const spawn: Provider["spawn"] = async (options) => {
      await slow.loseLeases(false);
      first = await replaceElsewhere();
      await provider.spawn(options);
      throw new ProviderError("NETWORK", {
        message: "cut",
        provider: "scripted",
        operation: "spawn",
        effect: "unknown",
      });
    };
    const answered = await launch({ ...provider, spawn }, { key: "k", spec: "s" }, { store: slow.store, clock });
    expect(answered.id).toBe(first);
    expect(alive()).toEqual([first]);
  });

  test("on a remote with idempotent spawns both get the same one, and nothing is ended", async () => {
    provider = safeProvider(world);
    const answered = await launchSlowly(async () => {
      await launch(safeProvider(world), { key: "k", spec: "s" }, { store: newHost(shared).store, clock });
    });
    expect(alive()).toEqual([answered.id]);
    expect(world.calls).not.toContain("terminate");
  });
});
