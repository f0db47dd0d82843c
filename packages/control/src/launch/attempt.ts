import {
  type ErrorCode,
  type ErrorScope,
  type Instance,
  isProviderError,
  ProviderError,
  timestamp,
} from "@slipway/core";
import { type Budget, claimBudget } from "../budget/claim.ts";
import type { LaunchRecord } from "../store/record.ts";
import { isStoreError, StoreError } from "../store/store-error.ts";
import { completed, mayBeHalfMade } from "./half-made.ts";
import { expectedOf, type Launching, type Request, sendable } from "./launching.ts";
import { adopted, lookUp } from "./lookup.ts";
import { lostAndMadeNothing, mustHoldLease, settleMade, settleUnknown } from "./lost-lease.ts";

const ABOUT_THE_PLACE: ReadonlySet<ErrorScope> = new Set(["placement", "subnet", "capacity-type", "region"]);
// A listing lags for seconds; older ids cannot come back.
const GONE_KEPT = 16;

/** The intent of the first spawn under a key, or of the next one after `before`. */
export function newIntent(run: Launching, before: LaunchRecord | null, goneId?: string): LaunchRecord {
  const gone = [...(before?.gone ?? []), ...(goneId === undefined ? [] : [goneId])].slice(-GONE_KEPT);
  return placed(run, { attempt: (before?.attempt ?? 0) + 1, gone }, 0);
}

function placed(run: Launching, from: Pick<LaunchRecord, "attempt" | "gone">, placement: number): LaunchRecord {
  const request: Request = { ...run.request, ...run.placements[placement] };
  return {
    kind: "launch",
    identity: run.identity,
    state: "intended",
    specHash: run.specHash,
    attempt: from.attempt,
    at: timestamp(run.poll.clock),
    placement,
    request,
    expected: expectedOf(request),
    gone: from.gone,
  };
}

/** Writes the intent, then spawns; goes on to the next placement while that is safe and can help. */
export async function attempt(run: Launching, first: LaunchRecord): Promise<Instance> {
  for (let intent = await withToken(run, first); ; ) {
    await run.failpoint("before-intent");
    if (run.budget === undefined) await run.store.write(run.recordId, intent);
    else await claim(run, intent, run.budget);
    await run.failpoint("after-intent");
    try {
      return await send(run, intent);
    } catch (error) {
      const next = intent.placement + 1;
      if (next >= run.placements.length || !isAboutThePlace(error)) throw error;
      intent = await withToken(run, placed(run, { attempt: intent.attempt + 1, gone: intent.gone }, next));
    }
  }
}

/** Each attempt reports under a name of its own, so that no machine speaks for a later one. What is sent again is sent as it is stored. */
async function withToken(run: Launching, intent: LaunchRecord): Promise<LaunchRecord> {
  if (run.bootstrapOf === undefined || run.placements[intent.placement]?.["bootstrap"] !== undefined) return intent;
  // No number: a record that was forgotten would begin at one again.
  const reports = crypto.randomUUID();
  return { ...intent, reports, request: { ...intent.request, bootstrap: await run.bootstrapOf(reports) } };
}

/** Claims and writes the intent. An earlier placement has its claim already; that one says that it made nothing. */
async function claim(run: Launching, intent: LaunchRecord, budget: Budget): Promise<void> {
  const { provider, store, recordId, poll } = run;
  const { request, expected } = intent;
  const { expiresAt } = expected;
  const terminateBy = typeof request?.["terminateBy"] === "string" ? request["terminateBy"] : undefined;
  const before = await store.read(recordId);
  // The remote's own end is later than the caller's, and is certain.
  const until = terminateBy ?? expiresAt;
  const claiming = { provider: provider.name, owner: provider.owner, store, recordId, expiresAt: until, before, poll };
  let stands = false;
  try {
    await claimBudget(claiming, budget, async () => {
      await store.write(recordId, intent);
      stands = true;
    });
  } catch (error) {
    // Nothing was sent, and nobody may send it uncounted.
    if (stands) await recordRefused(run, intent);
    throw error;
  }
}

/**
 * Sends the request of an intent that is written, and records what came of it. `again`: an earlier process may have sent
 * it already.
 */
export async function send(run: Launching, intent: LaunchRecord, again = false): Promise<Instance> {
  let instance: Instance;
  let recorded = intent;
  let isCertain = true;
  let wasLost = false;
  try {
    instance = await spawnWhenFree(run, intent, again);
  } catch (error) {
    // The lease was lost before anything was sent.
    if (isStoreError(error)) throw error;
    placementTried(run, intent, isProviderError(error) ? error.code : "INTERNAL");
    if (!run.lease().held()) {
      if (isProviderError(error) && error.effect === "none") mustHoldLease(run);
      const settled = await settleUnknown(run, intent);
      if ("id" in settled) return settled;
      recorded = settled;
      wasLost = true;
    }
    instance = await afterFailure(run, recorded, error, again, wasLost);
    isCertain = false;
  }
  placementTried(run, intent, "ok");
  await run.failpoint("after-spawn");
  try {
    await recordLaunched(run, recorded, instance);
    return instance;
  } catch (error) {
    const isLost = isStoreError(error, "NOT_HELD") || (isStoreError(error, "UNAVAILABLE") && !run.lease().held());
    if (!isLost) throw error;
    // What was found may be another process's, while what this one has made is still to come.
    const settled = isCertain ? recorded : await settleUnknown(run, recorded);
    if ("id" in settled) return settled;
    return await settleMade(run, settled, instance, (at, found) => recordLaunched(run, at, found));
  }
}

/** Spawns; while the remote still holds the key's name for an instance that is ending, waits and asks again. */
async function spawnWhenFree(run: Launching, intent: LaunchRecord, again: boolean): Promise<Instance> {
  for (let look = 0; ; look += 1) {
    mustHoldLease(run);
    try {
      return await run.provider.spawn(sendable(run, intent.request ?? {}));
    } catch (error) {
      const left = run.busyUntil - run.poll.clock.now();
      if (!isProviderError(error, "BUSY") || error.effect !== "none" || left <= 0) throw error;
      run.poll.setEffect(again ? "unknown" : "none");
      await run.poll.pause(look, left, Math.min(error.retryAfterMs ?? 0, left));
    }
  }
}

/**
 * Writes the id, and forgets the request: it may hold secrets, and nobody will send it again. It is kept where the instance
 * is known to be `halfMade`, since only the same request completes it.
 */
export async function recordLaunched(
  run: Launching,
  intent: LaunchRecord,
  instance: Instance,
  halfMade = false,
): Promise<void> {
  const { request, ...known } = intent;
  try {
    await run.store.write(run.recordId, {
      ...known,
      ...(halfMade && request !== undefined ? { request } : {}),
      state: "launched",
      at: timestamp(run.poll.clock),
      instanceId: instance.id,
      ...(instance.region === undefined ? {} : { region: instance.region }),
    });
  } catch (error) {
    if (!isStoreError(error)) throw error;
    throw new StoreError(error.code, {
      message: `${instance.id} runs, but its id could not be recorded: ${error.message}`,
      hint:
        error.code === "NOT_HELD"
          ? "Another process may have launched the key meanwhile: `reconcile` names the instance that is too many."
          : `${error.hint} Launching the same key again finds the instance.`,
      path: error.path,
      cause: error,
    });
  }
  await run.failpoint("after-record");
}

/** The instance if one was made and only its answer was lost; otherwise throws what the caller must know. */
async function afterFailure(
  run: Launching,
  intent: LaunchRecord,
  error: unknown,
  again: boolean,
  wasLost: boolean,
): Promise<Instance> {
  const effect = isProviderError(error) ? error.effect : "unknown";
  if (effect === "none" && (!again || isHeldByAnother(error))) {
    await recordRefused(run, intent);
    throw error;
  }
  // Something of this key is on its way: it may be what an earlier sending of this very request makes.
  if (effect === "none" && isProviderError(error, "CONFLICT")) throw error;
  // Over, and so no more calls: the intent stays, and the next launch of this key looks first.
  if (run.poll.signal.aborted) throw error;
  const found = await lookUp(run, intent.gone, again && effect === "applied").catch((failure: unknown) => {
    // The remote cannot be asked either. The first failure says more; the intent stays.
    if (isProviderError(failure)) throw error;
    throw failure;
  });
  if (effect === "applied") {
    // Something was made, and it is not what was asked for: the caller must hear of both.
    if (found !== null) await recordLaunched(run, intent, found, mayBeHalfMade(run, intent));
    throw error;
  }
  if (found !== null) return adopted(run, await completed(run, intent, found, error));
  await recordRefused(run, intent);
  // The caller has cancelled nothing: the lease's end did.
  throw wasLost && isProviderError(error, "CANCELLED") ? lostAndMadeNothing(run, error) : madeNothing(run, error);
}

/**
 * That this call made nothing says nothing of an earlier one. A conflict with an instance of another request does: while
 * that one lives, the earlier request is refused as well.
 */
function isHeldByAnother(error: unknown): boolean {
  return isProviderError(error, "CONFLICT") && error.native?.id !== undefined;
}

async function recordRefused(run: Launching, intent: LaunchRecord): Promise<void> {
  const { request: _sent, ...known } = intent;
  try {
    await run.store.write(run.recordId, { ...known, state: "refused", at: timestamp(run.poll.clock) });
  } catch (error) {
    // What the provider said matters more than this; the intent stays, and the next launch looks first.
    if (!isStoreError(error)) throw error;
  }
}

/** The same failure, now that it is known that nothing was made. */
function madeNothing(run: Launching, error: unknown): unknown {
  if (!isProviderError(error)) {
    return new ProviderError("INTERNAL", {
      message: `spawn failed in a way that ${run.provider.name} does not know, and made nothing`,
      provider: run.provider.name,
      operation: "launch",
      effect: "none",
      cause: error,
    });
  }
  const { code, message, provider, operation, scope, retryAfterMs, exhausted, native, hint } = error;
  return new ProviderError<ErrorCode>(code, {
    message: `${message}; the listing shows that nothing was made`,
    provider,
    operation,
    effect: "none",
    scope,
    retryAfterMs,
    exhausted,
    native,
    hint,
    cause: error,
  });
}

export function isAboutThePlace(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && ABOUT_THE_PLACE.has(error.scope);
}

function placementTried(run: Launching, intent: LaunchRecord, outcome: "ok" | ErrorCode): void {
  if (run.placements.length < 2) return;
  run.poll.emit({
    type: "placement.tried",
    at: timestamp(run.poll.clock),
    provider: run.provider.name,
    placement: nameOf(run.placements[intent.placement] ?? {}, intent.placement),
    outcome,
  });
}

/** The texts of a placement, as `eu-west-1/gpu_1x_a10`; its objects may hold secrets and are left out. */
function nameOf(placement: Request, index: number): string {
  const texts = Object.values(placement).filter((value) => typeof value === "string");
  return texts.length === 0 ? `placement ${index + 1}` : texts.join("/");
}
