import assert from "node:assert/strict";
import { allEntries, type RunRecord, runRecordId, type StepRecord, type Store } from "@slipway/control";
import { append, put, refuses, runRecord, type StoreCase, stepRecord } from "./fixture.ts";

const ID = runRecordId("r");

/** The steps of the run, as `read` and `entries` agree on them. */
async function stepsIn(store: Store, id: string = ID): Promise<readonly StepRecord[] | null> {
  const read = await store.read(id);
  const listed = (await allEntries(store, { kind: "run" })).find((entry) => entry.id === id);
  assert.deepEqual(listed?.record ?? null, read, "read and entries differ");
  return read?.kind === "run" ? read.steps : null;
}

/** With its lease held. */
async function begin(store: Store, record: RunRecord): Promise<void> {
  assert.ok(await store.acquire(ID));
  await store.write(ID, record);
}

/** What the steps of a run's record promise, written with it or added to it. */
export const stepCases: readonly StoreCase[] = [
  {
    id: "steps.repeated",
    title: "two steps of one name in a record come back as two",
    run: async ({ store }) => {
      const twice = runRecord("r", stepRecord("command", 1), stepRecord("command", 2));
      await put(store, ID, twice);
      assert.deepEqual(await stepsIn(store), twice.steps);
    },
  },
  {
    id: "steps.added",
    title: "added steps stand behind those that were written, and replace the last of their kind and name",
    needs: "appendStep",
    run: async ({ store }) => {
      const hostile = "quotes \" ' ` $() \\ \n \u0000 \u{1f6a2} \u2028 </script>";
      const written = runRecord("r", stepRecord("b", 1), stepRecord("b", 2));
      await begin(store, written);
      await append(store, ID, stepRecord(hostile, { [hostile]: [hostile] }), stepRecord("c", 1));
      await append(store, ID, stepRecord("b", 3), stepRecord("b", 4, "now"), stepRecord("c", 2));
      const expected = [
        ...written.steps.slice(0, 2),
        stepRecord("b", 3),
        stepRecord(hostile, { [hostile]: [hostile] }),
        stepRecord("c", 2),
        stepRecord("b", 4, "now"),
      ];
      assert.deepEqual(await stepsIn(store), expected);
    },
  },
  {
    id: "steps.replaced",
    title: "added steps are gone once the record is written anew or removed, also by another holder of the lease",
    needs: "appendStep",
    run: async ({ store }) => {
      await begin(store, runRecord("r"));
      await append(store, ID, stepRecord("b", 1));
      await store.write(ID, runRecord("r"));
      assert.deepEqual(await stepsIn(store), runRecord("r").steps);
      await append(store, ID, stepRecord("c", 1));
      await store.remove(ID);
      assert.equal(await store.read(ID), null);
      await store.write(ID, runRecord("r"));
      assert.deepEqual(await stepsIn(store), runRecord("r").steps);
    },
  },
  {
    id: "steps.shared",
    title: "the next holder of the lease reads what was added, and adds behind it",
    needs: "reopen",
    run: async ({ store, reopen }) => {
      if (store.appendStep === undefined) return;
      const first = await store.acquire(ID);
      assert.ok(first);
      await store.write(ID, runRecord("r"));
      await append(store, ID, stepRecord("b", 1));
      await store.release(first);
      const other = await reopen();
      const second = await other.acquire(ID);
      assert.ok(second);
      await append(other, ID, stepRecord("c", 2), stepRecord("b", 2));
      await refuses(() => append(store, ID, stepRecord("late", 1)), "NOT_HELD");
      const expected = [...runRecord("r").steps, stepRecord("b", 2), stepRecord("c", 2)];
      assert.deepEqual(await stepsIn(store), expected);
      await other.release(second);
      // What was known of the record under an earlier lease is not believed.
      assert.ok(await store.acquire(ID));
      await append(store, ID, stepRecord("d", 3));
      assert.deepEqual(await stepsIn(other), [...expected, stepRecord("d", 3)]);
    },
  },
  {
    id: "steps.needed",
    title: "adding a step without the lease, or after its release, is NOT_HELD and changes nothing",
    needs: "appendStep",
    run: async ({ store }) => {
      await refuses(() => append(store, ID, stepRecord("b", 1)), "NOT_HELD");
      await put(store, ID, runRecord("r"));
      await refuses(() => append(store, ID, stepRecord("b", 1)), "NOT_HELD");
      assert.deepEqual(await stepsIn(store), runRecord("r").steps);
    },
  },
  {
    id: "steps.killed",
    title: "what a process has added before it was killed is there, each step in whole",
    needs: "start",
    run: async ({ store, start, expiry }) => {
      if (store.appendStep === undefined) return;
      const holder = await start();
      assert.ok(await holder.acquire(ID));
      assert.equal(await holder.write(ID, runRecord("r")), null);
      const added = Array.from({ length: 20 }, (_value, index) => stepRecord(`s${index}`, index));
      for (const step of added) assert.equal(await holder.append(ID, step), null);
      // This one may be there in whole, or not at all.
      const last = stepRecord("last", "x".repeat(100_000));
      void holder.append(ID, last).catch(() => undefined);
      await holder.kill();
      const whole = [...runRecord("r").steps, ...added];
      if (store.exclusion === "expiring") await expiry.pass(2 * expiry.ms);
      assert.ok(await store.acquire(ID), "the lease of a dead process is still held");
      const steps = await stepsIn(store);
      assert.deepEqual(steps, steps?.length === whole.length ? whole : [...whole, last]);
      await append(store, ID, stepRecord("next", 1));
      assert.deepEqual(await stepsIn(store), [...(steps ?? []), stepRecord("next", 1)]);
    },
  },
];

/** What added steps promise where `exclusion` is "expiring". */
export const expiringStepCases: readonly StoreCase[] = [
  {
    id: "expiring.steps",
    title: "a step that a holder adds after its lease was lost is refused and changes nothing",
    needs: "expiry",
    run: async ({ store, reopen, expiry }) => {
      if (store.appendStep === undefined) return;
      const other = await reopen();
      await begin(store, runRecord("r"));
      await append(store, ID, stepRecord("b", 1));
      await expiry.cutOff();
      await expiry.pass(2 * expiry.ms);
      assert.ok(await other.acquire(ID));
      await expiry.reconnect();
      await refuses(() => append(store, ID, stepRecord("late", 1)), "NOT_HELD");
      await append(other, ID, stepRecord("c", 1));
      const expected = [...runRecord("r").steps, stepRecord("b", 1), stepRecord("c", 1)];
      assert.deepEqual(await stepsIn(other), expected);
    },
  },
];
