import assert from "node:assert/strict";
import { A, B, countOf, idsIn, launchRecord, put, refuses, type StoreCase } from "./fixture.ts";

/** What leases promise, whatever ends them. */
export const leaseCases: readonly StoreCase[] = [
  {
    id: "lease.exclusive",
    title: "a lease that is held is not given again, and holds only its own id",
    run: async ({ store }) => {
      const lease = await store.acquire(A);
      assert.equal(lease?.id, A);
      assert.ok(lease.held());
      assert.ok(!lease.signal.aborted);
      assert.equal(await store.acquire(A), null);
      assert.ok(await store.acquire(B));
    },
  },
  {
    id: "lease.concurrent",
    title: "of twenty who ask at once exactly one gets the lease, round after round",
    run: async ({ store }) => {
      for (let round = 0; round < 5; round += 1) {
        const leases = await Promise.all(Array.from({ length: 20 }, () => store.acquire(A)));
        assert.equal(countOf(leases), 1);
        for (const lease of leases) if (lease !== null) await store.release(lease);
      }
    },
  },
  {
    id: "lease.release",
    title: "a released lease is free; releasing it again frees nobody else's",
    run: async ({ store }) => {
      const first = await store.acquire(A);
      assert.ok(first);
      await store.release(first);
      assert.ok(!first.held(), "a lease that was given back says that it is held");
      const second = await store.acquire(A);
      assert.ok(second);
      assert.notEqual(second.token, first.token);
      await store.release(first);
      assert.equal(await store.acquire(A), null);
      await store.write(A, launchRecord("a"));
    },
  },
  {
    id: "lease.needed",
    title: "writing and removing without the lease, or after its release, is NOT_HELD and changes nothing",
    run: async ({ store }) => {
      await refuses(() => store.write(A, launchRecord("a")), "NOT_HELD");
      assert.equal(await store.read(A), null);
      await put(store, A, launchRecord("a"));
      await refuses(() => store.write(A, launchRecord("a", { attempt: 2 })), "NOT_HELD");
      await refuses(() => store.remove(A), "NOT_HELD");
      assert.deepEqual(await store.read(A), launchRecord("a"));
    },
  },
  {
    id: "shared.records",
    title: "another store object over the same storage reads every record",
    needs: "reopen",
    run: async ({ store, reopen }) => {
      await put(store, A, launchRecord("a"));
      const other = await reopen();
      assert.deepEqual(await other.read(A), launchRecord("a"));
      await put(other, B, launchRecord("b"));
      assert.deepEqual(new Set(await idsIn(store)), new Set([A, B]));
    },
  },
  {
    id: "shared.lease",
    title: "a lease excludes every other store object, which can neither write nor release it",
    needs: "reopen",
    run: async ({ store, reopen }) => {
      const other = await reopen();
      const lease = await store.acquire(A);
      assert.ok(lease);
      assert.equal(await other.acquire(A), null);
      await refuses(() => other.write(A, launchRecord("a")), "NOT_HELD");
      await other.release({ ...lease, token: "somebody else's" });
      assert.equal(await other.acquire(A), null);
      await store.release(lease);
      assert.ok(await other.acquire(A));
    },
  },
  {
    id: "dead.takeover",
    title: "the lease of a dead holder goes to exactly one of many contenders, and its record is whole",
    needs: "abandon",
    run: async ({ store, reopen, abandon }) => {
      await put(store, A, launchRecord("a"));
      await abandon(A);
      const contenders = await Promise.all(Array.from({ length: 12 }, async () => reopen()));
      const leases = await Promise.all(contenders.map((contender) => contender.acquire(A)));
      assert.equal(countOf(leases), 1);
      const winner = leases.findIndex((lease) => lease !== null);
      assert.deepEqual(await contenders[winner]?.read(A), launchRecord("a"));
      await contenders[winner]?.write(A, launchRecord("a", { attempt: 2 }));
      assert.deepEqual(await store.read(A), launchRecord("a", { attempt: 2 }));
    },
  },
  {
    id: "shared.pooled",
    title: "of six stores behind a pooler exactly one gets a lease, round after round, and its writes arrive",
    needs: "pooled",
    run: async ({ store, pooled }) => {
      const contenders = await Promise.all(Array.from({ length: 6 }, async () => pooled()));
      for (let round = 1; round <= 30; round += 1) {
        const leases = await Promise.all(contenders.map((contender) => contender.acquire(A)));
        assert.equal(countOf(leases), 1, `round ${round}`);
        const winner = leases.findIndex((lease) => lease !== null);
        await contenders[winner]?.write(A, launchRecord("a", { attempt: round }));
        assert.deepEqual(await store.read(A), launchRecord("a", { attempt: round }));
        await refuses(async () => contenders[(winner + 1) % 6]?.write(A, launchRecord("a")), "NOT_HELD");
        const lease = leases[winner];
        if (lease) await contenders[winner]?.release(lease);
      }
    },
  },
  {
    id: "process.kill",
    title: "the lease of a process that was killed is free again, and what it wrote is whole",
    needs: "start",
    run: async ({ store, start, expiry }) => {
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const holder = await start();
        assert.ok(await holder.acquire(A), "the lease was free and was not given");
        assert.equal(await holder.write(A, launchRecord("a", { attempt })), null);
        assert.equal(await store.acquire(A), null);
        await holder.kill();
        if (store.exclusion === "expiring") await expiry.pass(2 * expiry.ms);
        const lease = await store.acquire(A);
        assert.ok(lease, "the lease of a dead process is still held");
        assert.deepEqual(await store.read(A), launchRecord("a", { attempt }));
        await store.release(lease);
      }
    },
  },
  {
    id: "process.pause",
    title: "a process that is paused keeps its lease, or has lost it and can write no more",
    needs: "start",
    run: async ({ store, start, expiry }) => {
      const holder = await start();
      assert.ok(await holder.acquire(A));
      assert.equal(await holder.write(A, launchRecord("a")), null);
      await holder.pause();
      const expires = store.exclusion === "expiring";
      if (expires) await expiry.pass(2 * expiry.ms);
      const lease = await store.acquire(A);
      assert.equal(lease !== null, expires);
      if (expires) await store.write(A, launchRecord("a", { attempt: 2 }));
      await holder.resume();
      assert.equal(await holder.write(A, launchRecord("a", { attempt: 9 })), expires ? "NOT_HELD" : null);
      assert.deepEqual(await store.read(A), launchRecord("a", { attempt: expires ? 2 : 9 }));
      await holder.kill();
    },
  },
];

/** What leases promise where `exclusion` is "expiring". */
export const expiringLeaseCases: readonly StoreCase[] = [
  {
    id: "expiring.renewed",
    title: "a lease whose holder lives is renewed: past several times its expiry nobody else gets it, and it writes",
    needs: "expiry",
    run: async ({ store, reopen, expiry }) => {
      const other = await reopen();
      const lease = await store.acquire(A);
      for (let step = 0; step < 12; step += 1) {
        await expiry.pass(expiry.ms / 4);
        assert.ok(lease?.held(), "its holder lives, and it was lost");
        assert.equal(await other.acquire(A), null);
      }
      assert.equal(lease?.signal.aborted, false);
      await store.write(A, launchRecord("a"));
    },
  },
  {
    id: "expiring.lost",
    title: "a lease that cannot be renewed is lost while its holder lives: `held` says so before another can have it",
    needs: "expiry",
    run: async ({ store, reopen, expiry }) => {
      const other = await reopen();
      const lease = await store.acquire(A);
      assert.ok(lease);
      await expiry.cutOff();
      for (let step = 0; ; step += 1) {
        assert.ok(step < 60, "the lease of a holder that is cut off is never free");
        const taken = await other.acquire(A);
        const held = lease.held();
        if (taken !== null) {
          assert.ok(!held, "another has the lease, and its holder says that it is held");
          break;
        }
        await expiry.pass(expiry.ms / 20);
      }
      assert.ok(lease.signal.aborted, "what is under way was not told");
    },
  },
  {
    id: "expiring.late",
    title: "what a holder writes, removes or gives back after its lease was lost is refused or changes nothing",
    needs: "expiry",
    run: async ({ store, reopen, expiry }) => {
      const other = await reopen();
      const lost = await store.acquire(A);
      assert.ok(lost);
      await store.write(A, launchRecord("a"));
      await expiry.cutOff();
      await expiry.pass(2 * expiry.ms);
      const lease = await other.acquire(A);
      assert.ok(lease);
      await other.write(A, launchRecord("a", { attempt: 2 }));
      await expiry.reconnect();
      await refuses(() => store.write(A, launchRecord("a", { attempt: 9 })), "NOT_HELD");
      await refuses(() => store.remove(A), "NOT_HELD");
      await store.release(lost);
      assert.equal(await store.acquire(A), null);
      assert.deepEqual(await other.read(A), launchRecord("a", { attempt: 2 }));
      await other.write(A, launchRecord("a", { attempt: 3 }));
      await other.release(lease);
      // Whoever takes it again does not get the old right back.
      const again = await store.acquire(A);
      assert.ok(again?.held());
      assert.ok(!lost.held());
      await store.write(A, launchRecord("a", { attempt: 4 }));
    },
  },
  {
    id: "expiring.free",
    title: "a lease that was lost and that nobody else took is lost all the same: nothing is written under it",
    needs: "expiry",
    run: async ({ store, expiry }) => {
      const lost = await store.acquire(A);
      await expiry.cutOff();
      await expiry.pass(2 * expiry.ms);
      await expiry.reconnect();
      await refuses(() => store.write(A, launchRecord("a")), "NOT_HELD");
      assert.equal(lost?.held(), false);
      assert.equal(await store.read(A), null);
      assert.ok(await store.acquire(A));
    },
  },
];
