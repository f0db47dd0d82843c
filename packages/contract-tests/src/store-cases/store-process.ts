import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { isStoreError, type StepRecord, type Store, type StoredRecord, type StoreErrorCode } from "@slipway/control";

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
