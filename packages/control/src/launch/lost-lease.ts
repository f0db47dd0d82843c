import { type Instance, isProviderError } from "@slipway/core";
import { mendsItself } from "../poll.ts";
import type { LaunchRecord } from "../store/record.ts";
import { isStoreError, StoreError } from "../store/store-error.ts";
import { type Launching, readRecord, specConflict } from "./launching.ts";
import { adopted, hasEnded, lookUp, stillThere } from "./lookup.ts";

// So long it waits for whoever has the lease now. A launch holds it for as long as one spawn takes.
const REGAIN_MS = 60_000;
const MOST_TRIES = 8;

/** The record and the instances of the key, after the lease was lost and taken again. */
interface Rejoined {
  readonly record: LaunchRecord | null;
  /** The instance that the record names, if it is there. */
  readonly named: Instance | null;
  /** The own intent, as it is to be recorded now. */
  readonly intent: LaunchRecord;
}

/** Throws unless this process may send: it has the lease, and so nobody else launches the key. */
export function mustHoldLease(run: Launching): void {
  if (run.lease().held()) return;
  throw new StoreError("NOT_HELD", {
    message: `the lease of ${nameOf(run)} was lost, and nothing more was sent`,
    hint: "Launch the key again with the same options: it returns the instance that another process may have launched.",
  });
}

/** For a request that was cut off because the lease was lost, once a listing shows that it made nothing. */
export function lostAndMadeNothing(run: Launching, cause: unknown): StoreError {
  return new StoreError("NOT_HELD", {
    message: `the lease of ${nameOf(run)} was lost while its request was under way, which made nothing`,
    hint: "Launch the key again with the same options.",
    cause,
  });
}

/**
 * For an instance that was made under a lease that was lost: takes the lease again and reads the record. If it names
 * another instance that lives, that one is the key's, and this one is ended: it would cost money beside it. Otherwise this
 * one is the key's. `record` writes an id.
 */
export async function settleMade(
  run: Launching,
  intent: LaunchRecord,
  made: Instance,
  record: (intent: LaunchRecord, instance: Instance) => Promise<void>,
): Promise<Instance> {
  run.poll.setEffect("applied");
  const rejoined = await rejoin(run, intent, made);
  let { named } = rejoined;
  if (named === null && isAnothers(rejoined.record, intent)) {
    // Another process has died, or given up, before it knew what it made: that may stand beside this one.
    named = await naming(run, made, () => lookUp(run, rejoined.intent.gone));
    if (named !== null && named.id !== made.id) await record(rejoined.record, named);
  }
  if (named === null || (named.id === made.id && rejoined.record?.state !== "launched")) {
    await record(rejoined.intent, made);
    return made;
  }
  // Whoever recorded this one found it while it looked for its own, which may only show later.
  if (named.id === made.id) await endOthers(run, named);
  else await end(run, made, named);
  return keysOwn(run, rejoined.record, named);
}

/**
 * For a request whose answer was cut off because the lease was lost. Returns the key's instance if the record names one,
 * after everything else under the key was ended; otherwise the intent to go on with, under the lease that was taken again.
 */
export async function settleUnknown(run: Launching, intent: LaunchRecord): Promise<Instance | LaunchRecord> {
  run.poll.setEffect("unknown");
  const { record, named, intent: current } = await rejoin(run, intent, null);
  if (named === null) return current;
  await endOthers(run, named);
  return keysOwn(run, record, named);
}

/** Ends what stands beside the key's own instance, until nothing can come or be hidden any more. */
async function endOthers(run: Launching, named: Instance): Promise<void> {
  const { readAfterWriteMs, requestLifeMs } = run.provider.limits;
  const proofAt = run.poll.clock.now() + requestLifeMs + readAfterWriteMs;
  for (let look = 0; ; look += 1) {
    const begun = run.poll.clock.now();
    const listed = await listKey(run, named);
    for (const one of listed) if (one.id !== named.id && !hasEnded(one)) await end(run, one, named);
    if (begun >= proofAt) return;
    await run.poll.pause(look, proofAt - run.poll.clock.now());
  }
}

async function rejoin(run: Launching, intent: LaunchRecord, made: Instance | null): Promise<Rejoined> {
  if (!(await naming(run, made, () => run.regain(REGAIN_MS)))) throw besideAnother(run, made);
  const record = await naming(run, made, () => readRecord(run));
  const id = record?.state === "launched" ? record.instanceId : undefined;
  const named = id === undefined ? null : id === made?.id ? made : await naming(run, made, () => stillThere(run, id));
  const gone = [...(record?.gone ?? []), ...intent.gone, ...(id === undefined || named !== null ? [] : [id])];
  return {
    record,
    named,
    intent: {
      ...intent,
      attempt: Math.max(intent.attempt, record?.attempt ?? 0),
      gone: [...new Set(gone)].filter((one) => one !== made?.id),
    },
  };
}

/** Reads; a failure becomes one that names what was made, since the read's own error says that nothing was done. */
async function naming<T>(run: Launching, made: Instance | null, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    run.poll.check();
    if (isProviderError(error)) throw besideAnother(run, made, undefined, error);
    if (!isStoreError(error)) throw error;
    throw new StoreError(error.code, {
      message: `the lease of ${nameOf(run)} was lost, ${remains(made)}, and the store failed: ${error.message}`,
      hint: `${error.hint} Then launch the key again; \`reconcile\` names the instance that is too many.`,
      path: error.path,
      cause: error,
    });
  }
}

async function listKey(run: Launching, named: Instance): Promise<readonly Instance[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run.provider.list({ keys: [run.identity.key] }, { signal: run.poll.signal });
    } catch (error) {
      run.poll.check();
      const waitMs = mendsItself(error);
      if (waitMs === null || attempt >= MOST_TRIES) throw besideAnother(run, null, named, error);
      await run.poll.pause(attempt, undefined, waitMs);
    }
  }
}

function isAnothers(record: LaunchRecord | null, own: LaunchRecord): record is LaunchRecord {
  return record?.state === "intended" && (record.attempt !== own.attempt || record.at !== own.at);
}

function keysOwn(run: Launching, record: LaunchRecord | null, instance: Instance): Instance {
  if (record !== null && record.specHash !== run.specHash) throw specConflict(run, instance);
  return adopted(run, instance);
}

/** Under the lease: nobody else adopts or launches anything under the key meanwhile. */
async function end(run: Launching, extra: Instance, keep: Instance): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run.provider.terminate(extra.id, { signal: run.poll.signal });
      return;
    } catch (error) {
      run.poll.check();
      const waitMs = mendsItself(error);
      if (waitMs !== null && attempt < MOST_TRIES) await run.poll.pause(attempt, undefined, waitMs);
      else throw besideAnother(run, extra, keep, error);
    }
  }
}

function besideAnother(run: Launching, made: Instance | null, keep?: Instance, cause?: unknown): StoreError {
  const beside = keep === undefined ? "" : ` beside ${keep.id}`;
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new StoreError("NOT_HELD", {
    message: `the lease of ${nameOf(run)} was lost, and ${remains(made)}${beside}${why}`,
    hint: "Another process may have launched the key meanwhile: `reconcile` names the instance that is too many.",
    cause,
  });
}

function nameOf(run: Launching): string {
  return `the key ${JSON.stringify(run.identity.key)}`;
}

function remains(made: Instance | null): string {
  return made === null ? "an instance may run under it" : `${made.id} runs under it`;
}
