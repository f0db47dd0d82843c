import { isProviderError, type ProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { complete, deliver } from "./complete.ts";
import type { OrbstackContext } from "./context.ts";
import { applied, refusal, wentAway } from "./errors.ts";
import type { OrbstackInstance } from "./instance.ts";
import { type Found, told } from "./lookup.ts";
import { type OrbstackRequest, type OrbstackSpawnOptions, requestOf } from "./request.ts";
import { finishCopy, isLeftCopy, isOwnCopy, mustHaveSnapshot, settledCopy } from "./restore.ts";
import { hasKey, isInstanceName, mayBeOurs, ownedOf, type Tag, userFor } from "./tags.ts";
import { removeMachine } from "./terminate.ts";
import { RETRY_AFTER_MS, standingStill, startMachine } from "./transition.ts";
import type { WireInfo, WireMachine } from "./wire.ts";

/** How long another process's creation is waited for: one takes up to half a minute, and its image may have to be fetched. */
const PATIENCE_MS = 120_000;

/**
 * One machine for one name: OrbStack itself refuses a second one, so that the rows of a repeated key hold for processes
 * that share nothing but the Mac.
 */
export async function spawnInstance(
  context: OrbstackContext,
  options: OrbstackSpawnOptions,
): Promise<OrbstackInstance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  return await context.keyedMutex(request.name, call, async () => {
    const there = await findForKey(context, call, request);
    const found =
      (there === null ? null : await adopted(context, call, there, request)) ?? (await made(context, call, request));
    return await told(context, call, found, request.key).catch(applied);
  });
}

/** By its name; by its tag where somebody has renamed it. */
async function findForKey(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<WireInfo | null> {
  for (const row of await context.client.machines(call)) {
    const isNamed = row.name === request.name;
    // One with the name of another key is not looked into: that would cost a command for each of them.
    if (!isNamed && (!mayBeOurs(row) || isInstanceName(row.name))) continue;
    const owned = isNamed ? null : await ownedOf(context, call, row);
    if (!isNamed && (owned === null || !hasKey(owned, context.owner, request.key))) continue;
    // A list shows what was just deleted for a moment longer.
    const info = await context.client.machine(call, row.id);
    if (info !== null) return info;
  }
  return null;
}

/** What is there, made whole if it is the request's. CONFLICT if it is not; null if it went away meanwhile. */
async function adopted(
  context: OrbstackContext,
  call: Call,
  there: WireInfo,
  request: OrbstackRequest,
): Promise<Found | null> {
  const info = await standingStill(context, call, there, PATIENCE_MS);
  if (info === null) return null;
  const owned = await ownedOf(context, call, info.record);
  if (owned === null) throw conflictWithUnmanaged(call, request, info);
  // Only what nobody was given may be started and tagged, and of this one that cannot be told.
  if (owned.tag === null && owned.isUnreadable) throw unreadable(call, info);
  if (owned.tag === null) return await finished(context, call, info, owned.copyOf, request);
  if (!hasKey(owned, context.owner, request.key)) throw conflictWithUnmanaged(call, request, info);
  if (owned.tag.specHash !== request.specHash || !isShownAsMuch(info, request)) throw otherSpec(call, request, info);
  // A stopped one is left as it is.
  if (info.record.state === "running") await deliver(context, call, info.record.id, request);
  return { info, owned };
}

/** The one part of a spec that is an option of the provider: who asks for an isolated one must not get another. */
function isShownAsMuch({ record }: WireInfo, { isolated }: OrbstackRequest): boolean {
  return (record.config.isolated ?? isolated) === isolated;
}

function unreadable({ operation }: Call, { record }: WireInfo): Error {
  return refusal("UNAVAILABLE", operation, `the tag of ${record.id}, which is ${record.state}, cannot be read now`, {
    hint: "Try again in a moment. If that does not help, start it: then it can be read in another way.",
    nativeId: record.id,
  });
}

function conflictWithUnmanaged({ operation }: Call, { name }: OrbstackRequest, { record }: WireInfo): Error {
  return refusal("CONFLICT", operation, `a machine that is not of this key is named ${name}`, {
    hint: "Slipway leaves it alone: remove it by hand, or use another key.",
    nativeId: record.id,
  });
}

function otherSpec({ operation }: Call, { key }: OrbstackRequest, { record }: WireInfo): Error {
  return refusal(
    "CONFLICT",
    operation,
    `the key ${JSON.stringify(key)} has an instance of another spec: ${record.id}`,
    {
      hint: "Use another key, or terminate that instance first.",
      nativeId: record.id,
    },
  );
}

/**
 * One that was never tagged: its maker was cut off, or is at work on it right now, and then does the same. Null if it went
 * away, or was left in a state in which nobody can finish it, and was removed.
 */
async function finished(
  context: OrbstackContext,
  call: Call,
  info: WireInfo,
  copyOf: Tag | null,
  request: OrbstackRequest,
): Promise<Found | null> {
  if (copyOf !== null || request.fromSnapshot !== undefined) {
    const copy = await settledCopy(context, call, info, copyOf, request);
    if (copy === null) return null;
    if (isOwnCopy(copy, request)) return await finishCopy(context, call, copy, request);
    if (!isLeftCopy(copy, copyOf, request)) throw otherSpec(call, request, copy);
    // It makes space for another copy, and for nothing else.
    await mustHaveSnapshot(context, call, request);
    await removeMachine(context, call, copy);
    return null;
  }
  const isSame = info.record.config.default_username === userFor(request.specHash) && isShownAsMuch(info, request);
  if (!isSame) throw otherSpec(call, request, info);
  return await complete(context, call, await running(context, call, info), request, false);
}

/** Nobody has been given it yet, so that it may be started. */
async function running(context: OrbstackContext, call: Call, info: WireInfo): Promise<WireInfo> {
  if (info.record.state === "running") return info;
  await startMachine(context, call, info.record.id);
  return (await context.client.machine(call, info.record.id)) ?? info;
}

async function made(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<Found> {
  const snapshot = await mustHaveSnapshot(context, call, request);
  return await context.making(call, async () => {
    for (let again = true; ; again = false) {
      const failed = await asked(context, call, request, snapshot);
      if (failed === null) return await tagged(context, call, request);
      const found = await afterFailure(context, call, request, failed);
      if (found !== null) return found;
      // What was in its way has gone.
      if (!again) throw withEffect(failed, "unknown");
    }
  });
}

/** Makes the machine, or the copy; answers what failed. */
async function asked(
  { client, breaker }: OrbstackContext,
  call: Call,
  request: OrbstackRequest,
  snapshot: WireMachine | null,
): Promise<ProviderError | null> {
  const { name, image, specHash, isolated, resources } = request;
  breaker.assertClosed(call);
  try {
    if (snapshot === null) await client.create(call, { name, image, user: userFor(specHash), isolated, ...resources });
    else await client.clone(call, snapshot.name, name);
  } catch (error) {
    if (!isProviderError(error)) throw error;
    breaker.note(error);
    return error;
  }
  // A copy takes its address when it is started.
  if (snapshot === null) breaker.close();
  return null;
}

/** It was made: what is read now cannot undo that. */
async function tagged(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<Found> {
  const info = await context.client.machine(call, request.name).catch(applied);
  const still = info === null ? null : await standingStill(context, call, info, PATIENCE_MS).catch(applied);
  if (still === null) throw wentAway(call, request.name);
  if (request.fromSnapshot !== undefined) return await finishCopy(context, call, still, request);
  const found = await finished(context, call, still, null, request);
  if (found !== null) return found;
  throw wentAway(call, request.name);
}

// Nothing can be there after these.
const NOTHING_SENT: ReadonlySet<string> = new Set(["home-missing", "usage", "other-spec"]);

/**
 * A creation that failed, or gave no answer, may have made the machine all the same: what is there now decides. Null where
 * something was in its way that has gone.
 */
async function afterFailure(
  context: OrbstackContext,
  call: Call,
  request: OrbstackRequest,
  error: ProviderError,
): Promise<Found | null> {
  const row = String(error.native?.code);
  if (call.signal?.aborted === true || NOTHING_SENT.has(row)) throw error;
  let there: WireInfo | null;
  let found: Found | null;
  try {
    there = await context.client.machine(call, request.name);
    // A refusal and nothing there agree. Without an answer it may be about to begin.
    if (there === null && row === "name-taken") throw passing(call, request);
    found = there === null ? null : await adopted(context, call, there, request);
  } catch (second) {
    throw isProviderError(second) && isJudgement(second) ? judged(second, row) : unclear(error);
  }
  const wasInTheWay = there !== null && (row === "name-taken" || request.fromSnapshot !== undefined);
  if (found === null && !wasInTheWay) throw error;
  return found;
}

/** Is it about what was found, and not a failure to look? */
function isJudgement({ code, effect }: ProviderError): boolean {
  return code === "CONFLICT" || code === "BUSY" || effect === "applied";
}

/** What is on its way for so long may be what this very call has begun. */
function judged(error: ProviderError, row: string): ProviderError {
  return error.code === "BUSY" && row !== "name-taken" ? withEffect(error, "unknown") : error;
}

function passing({ operation }: Call, { name }: OrbstackRequest): ProviderError {
  return refusal("BUSY", operation, `OrbStack says that ${name} is there, and does not show it`, {
    hint: "It is being made or removed: try again in a moment.",
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** A refusal that was read stays one; anything else is unclear. */
function unclear(error: ProviderError): ProviderError {
  return error.effect === "none" ? error : withEffect(error, "unknown");
}
