import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  allEntries,
  isStoreError,
  type JsonValue,
  type LaunchRecord,
  launchId,
  type RunRecord,
  type StepRecord,
  type Store,
  type StoredRecord,
  type StoreErrorCode,
} from "@slipway/control";

/** How time passes for the leases of a store whose `exclusion` is "expiring". */
export interface StoreExpiry {
  /** How long a lease lasts that is not renewed. Short, where the time is real. */
  readonly ms: number;
  /** Lets so much time pass, for the storage and for every store object. */
  readonly pass: (ms: number) => Promise<void>;
  /** From now on the fixture's `store` cannot reach the storage, and gets no notice of that. Others can. */
  readonly cutOff: () => Promise<void>;
  readonly reconnect: () => Promise<void>;
}

/** A store over fresh, empty storage, and what a case may do to that storage. What is absent skips the cases that need it. */
export interface StoreFixture {
  readonly store: Store;
  /** Another store object over the same storage, as another process would make it. */
  readonly reopen?: () => Store | Promise<Store>;
  /** As `reopen`, through what may stand before the storage, as a pooler that gives each statement another connection. */
  readonly pooled?: () => Store | Promise<Store>;
  /** Starts a real process that opens the storage; see `startStoreProcess`. The fixture ends it at the latest. */
  readonly start?: () => Promise<StoreProcess>;
  /** Leaves a lease behind whose holder has died. */
  readonly abandon?: (id: string) => Promise<void>;
  /** Spoils the stored record of an id, as a fault of the disk would. */
  readonly corrupt?: (id: string) => Promise<void>;
  /** Needed where `exclusion` is "expiring". */
  readonly expiry?: StoreExpiry;
  /** Removes the storage. */
  readonly dispose?: () => Promise<void>;
}

export interface StoreHarness {
  readonly create: () => Promise<StoreFixture>;
}

type Need = "reopen" | "pooled" | "start" | "abandon" | "corrupt" | "expiry" | "appendStep";

/** One promise of the store contract, as data: any test runner can run it. */
export interface StoreCase {
  /** Unique, as `lease.exclusive`. */
  readonly id: string;
  readonly title: string;
  /** What of the fixture it needs; `appendStep` is its store's. */
  readonly needs?: Need;
  /** Throws where the store breaks the promise. */
  readonly run: (fixture: Required<StoreFixture>) => Promise<void>;
}

/** Why a case did not run. */
export interface StoreCaseSkip {
  readonly skipped: string;
}

/** Runs one case over fresh storage; throws if it fails, answers why if it cannot be run. */
export async function runStoreCase(storeCase: StoreCase, harness: StoreHarness): Promise<StoreCaseSkip | undefined> {
  const fixture = await harness.create();
  const { id, needs } = storeCase;
  try {
    if (needs === "appendStep") {
      if (fixture.store.appendStep === undefined) return { skipped: "the store has no appendStep" };
    } else if (needs !== undefined && fixture[needs] === undefined) {
      if (needs !== "expiry" || fixture.store.exclusion === "process")
        return { skipped: `the fixture has no ${needs}` };
      throw new Error(
        "the leases of this store expire: give its fixture an `expiry`, by which the cases let time pass",
      );
    }
    const absent = async (): Promise<never> => {
      throw new Error(`${id} uses what it does not name in needs`);
    };
    const missing = {
      reopen: absent,
      pooled: absent,
      start: absent,
      abandon: absent,
      corrupt: absent,
      dispose: absent,
    };
    const expiry: StoreExpiry = { ms: 0, pass: absent, cutOff: absent, reconnect: absent };
    await storeCase.run({ ...missing, expiry, ...fixture });
    return undefined;
  } finally {
    await fixture.dispose?.();
  }
}

export function launchRecord(key: string, more: Partial<LaunchRecord> = {}): LaunchRecord {
  return {
    kind: "launch",
    identity: { provider: "p", account: "", owner: "o", key },
    state: "launched",
    specHash: "sha256:0",
    attempt: 1,
    at: "2026-01-01T00:00:00.000Z",
    placement: 0,
    instanceId: `i-${key}`,
    expected: {},
    gone: [],
    ...more,
  };
}

/** A step that has succeeded. */
export function stepRecord(name: string, result: JsonValue, kind: StepRecord["kind"] = "step"): StepRecord {
  return { name, kind, state: "done", undoable: true, outcome: "done", result };
}

export function runRecord(runId: string, ...more: readonly StepRecord[]): RunRecord {
  const step = stepRecord("a", [1, null]);
  const base = { kind: "run", runId, type: "t", version: 1, state: "running", input: { n: 1 } } as const;
  return { ...base, startedAt: "2026-01-01T00:00:00.000Z", steps: [step, ...more] };
}

export const idOf = (key: string): string => launchId({ provider: "p", account: "", owner: "o", key });
export const A: string = idOf("a");
export const B: string = idOf("b");

export async function put(store: Store, id: string, record: StoredRecord): Promise<void> {
  const lease = await store.acquire(id);
  assert.ok(lease, `the lease of ${id} was free and was not given`);
  await store.write(id, record);
  await store.release(lease);
}

export async function refuses(work: () => Promise<unknown>, code: "NOT_HELD" | "CORRUPT"): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isStoreError(error, code), `expected a StoreError with ${code}, got ${String(error)}`);
    assert.ok(error.hint.length > 0, "the error has no hint");
    return true;
  });
}

export const countOf = (leases: readonly unknown[]): number => leases.filter((lease) => lease !== null).length;

export async function idsIn(store: Store): Promise<readonly string[]> {
  return (await allEntries(store)).map(({ id }) => id);
}

/** Adds steps, one after the other, as a run does. */
export async function append(store: Store, id: string, ...steps: readonly StepRecord[]): Promise<void> {
  for (const step of steps) await store.appendStep?.(id, step);
}

/** A real process that works with the storage of a fixture, and that can be killed. */
export interface StoreProcess {
  /** Did it get the lease? */
  readonly acquire: (id: string) => Promise<boolean>;
  /** The code of the StoreError that it got, or null. */
  readonly write: (id: string, record: StoredRecord) => Promise<StoreErrorCode | null>;
  /** As `write`, of a step that is added to the record of a run. The store must have `appendStep`. */
  readonly append: (id: string, step: StepRecord) => Promise<StoreErrorCode | null>;
  /** As `kill -9`; resolves once it is gone. */
  readonly kill: () => Promise<void>;
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
}

type Call =
  | { readonly acquire: string }
  | { readonly write: string; readonly record: StoredRecord }
  | { readonly append: string; readonly step: StepRecord };
type Answer = { readonly acquired: boolean } | { readonly code: StoreErrorCode | null } | { readonly failure: string };

/** The other end of `startStoreProcess`: what a program does that is made for it. Ends with its standard input. */
export function serveStore(store: Store): void {
  const answer = async (call: Call): Promise<Answer> => {
    try {
      if ("acquire" in call) return { acquired: (await store.acquire(call.acquire)) !== null };
      if ("write" in call) await store.write(call.write, call.record);
      else if (store.appendStep === undefined) return { failure: "the store has no appendStep" };
      else await store.appendStep(call.append, call.step);
      return { code: null };
    } catch (error) {
      return isStoreError(error) && !("acquire" in call) ? { code: error.code } : { failure: String(error) };
    }
  };
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    // Written by `startStoreProcess`, one call in a line.
    const call = JSON.parse(line) as Call;
    void answer(call).then((said) => process.stdout.write(`${JSON.stringify(said)}\n`));
  });
  input.on("close", () => void store.close?.());
}

const ANSWER_MS = 30_000;

/** Starts a program that calls `serveStore` with a store over the fixture's storage. */
export function startStoreProcess(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): StoreProcess {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // A process that was killed closes its end.
  child.stdin.on("error", () => undefined);
  const ask = async (call: Call): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(call)}\n`);
    const line = await within(ANSWER_MS, lines.next());
    if (line.done === true) throw new Error("the store's process ended before it answered");
    // Written by `serveStore`.
    const answer = JSON.parse(line.value) as Answer;
    if ("failure" in answer) throw new Error(`the store's process failed: ${answer.failure}`);
    return answer;
  };
  return {
    acquire: async (id) => {
      const answer = await ask({ acquire: id });
      return "acquired" in answer && answer.acquired;
    },
    write: async (id, record) => {
      const answer = await ask({ write: id, record });
      return "code" in answer ? answer.code : null;
    },
    append: async (id, step) => {
      const answer = await ask({ append: id, step });
      return "code" in answer ? answer.code : null;
    },
    kill: async () => {
      if (hasEnded(child)) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    pause: async () => void child.kill("SIGSTOP"),
    resume: async () => void child.kill("SIGCONT"),
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the store's process did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
