import { isProviderError, type ProviderError } from "@slipway/core";
import type { Created } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { complete, deliver } from "./complete.ts";
import type { OrbstackContext } from "./context.ts";
import { applied, refusal, wentAway } from "./errors.ts";
import type { Found, SeenMachine } from "./lookup.ts";
import type { OrbstackRequest } from "./request.ts";
import { finishCopy, isLeftCopy, isOwnCopy, mustHaveSnapshot, settledCopy } from "./restore.ts";
import { ownedOf, type Tag, userFor } from "./tags.ts";
import { removeMachine } from "./terminate.ts";
import { RETRY_AFTER_MS, standingStill, startMachine } from "./transition.ts";
import type { WireInfo, WireMachine } from "./wire.ts";

/** How long another process's creation is waited for: one takes up to half a minute, and its image may have to be fetched. */
const PATIENCE_MS = 120_000;

/** One creation, or one copy of a snapshot. What had the name before is waited for until it is gone. */
export async function makeMachine(
  context: OrbstackContext,
  call: Call,
  request: OrbstackRequest,
  previous: readonly SeenMachine[],
): Promise<Created<SeenMachine>> {
  for (const { record } of previous) {
    const there = await context.client.machine(call, record.id);
    if (there !== null) await standingStill(context, call, there, PATIENCE_MS);
  }
  const snapshot = await mustHaveSnapshot(context, call, request);
  return await context.making(call, async () => {
    const failed = await asked(context, call, request, snapshot);
    if (failed !== null) return await afterFailure(context, call, request, failed);
    // It was made: what is read now cannot undo that.
    const info = await context.client.machine(call, request.name).catch(applied);
    if (info === null) throw wentAway(call, request.name);
    const owned = { machine: info.record, tag: null, copyOf: null, isUnreadable: false };
    return { machine: { record: info.record, info, owned, owner: context.owner } };
  });
}

/** What this spawn has made: started where it is a copy, tagged, its bootstrap handed over. */
export async function finishMade(
  context: OrbstackContext,
  call: Call,
  info: WireInfo,
  request: OrbstackRequest,
): Promise<Found> {
  const still = await standingStill(context, call, info, PATIENCE_MS);
  if (still === null) throw wentAway(call, request.name);
  if (request.fromSnapshot !== undefined) return await finishCopy(context, call, still, request);
  const found = await finished(context, call, still, null, request);
  if (found !== null) return found;
  throw wentAway(call, request.name);
}

/** What is there, made whole. CONFLICT if it is of another spec; null if it went away meanwhile. */
export async function finishFound(
  context: OrbstackContext,
  call: Call,
  seen: SeenMachine & { readonly info: WireInfo },
  request: OrbstackRequest,
): Promise<Found | null> {
  const info = await standingStill(context, call, seen.info, PATIENCE_MS);
  if (info === null) return null;
  // What was on its way may have been tagged meanwhile.
  const owned = info === seen.info ? seen.owned : await ownedOf(context, call, info.record);
  if (owned === null) return null;
  // Only what nobody was given may be started and tagged, and of this one that cannot be told.
  if (owned.tag === null && owned.isUnreadable) throw unreadable(call, info);
  if (owned.tag === null) {
    // This process may have made it just now, and only remember it: nothing can be handed to one that was removed since.
    const now = await context.client.machine(call, info.record.id);
    return now === null ? null : await finished(context, call, now, owned.copyOf, request);
  }
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

// Nothing can be there after these.
const NOTHING_SENT: ReadonlySet<string> = new Set(["home-missing", "usage", "other-spec"]);

/** A creation that failed, or gave no answer, may have made the machine all the same: what is there now decides. */
async function afterFailure(
  { client }: OrbstackContext,
  call: Call,
  request: OrbstackRequest,
  error: ProviderError,
): Promise<Created<SeenMachine>> {
  const row = String(error.native?.code);
  if (call.signal?.aborted === true || NOTHING_SENT.has(row)) throw error;
  const there = await client.machine(call, request.name).catch(() => {
    throw unclear(error);
  });
  // A refusal and nothing there agree. Without an answer it may be about to begin.
  if (there === null) throw row === "name-taken" ? passing(call, request) : error;
  // A copy that was left half made goes, and then there is space for another one.
  const isInTheWay = row === "name-taken" || request.fromSnapshot !== undefined;
  return { error: isInTheWay ? withEffect(error, "unknown") : error, lookUp: true, retry: isInTheWay };
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
