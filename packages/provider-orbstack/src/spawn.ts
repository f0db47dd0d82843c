import { isProviderError, type ProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { complete, deliver } from "./complete.ts";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import type { OrbstackInstance } from "./instance.ts";
import { type Found, told } from "./look-up.ts";
import { userFor } from "./marks.ts";
import { hasKey, mayBeOurs, ownedOf } from "./ownership.ts";
import { type OrbstackRequest, type OrbstackSpawnOptions, requestOf } from "./request.ts";
import { finishCopy, isOwnCopy, makeCopy, mustHaveSnapshot } from "./restore.ts";
import { standingStill } from "./transition.ts";
import type { WireInfo } from "./wire.ts";

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
  return await context.inTurn(request.name, call, async () => {
    const there = await findForKey(context, call, request);
    const found =
      (there === null ? null : await adopted(context, call, there, request)) ?? (await made(context, call, request));
    return await told(context, call, found, request.key).catch(applied);
  });
}

/** By its name; by its mark where somebody has renamed it. */
async function findForKey(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<WireInfo | null> {
  for (const row of await context.client.machines(call)) {
    const isNamed = row.name === request.name;
    if (!isNamed && (!mayBeOurs(row) || row.name.startsWith("slip-"))) continue;
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
  if (owned === null) throw stranger(call, request, info);
  if (owned.mark === null) return await finished(context, call, info, owned.isCopy, request);
  if (!hasKey(owned, context.owner, request.key)) throw stranger(call, request, info);
  if (owned.mark.specHash !== request.specHash) throw otherSpec(call, request, info);
  // A stopped one is left as it is.
  if (info.record.state === "running") await deliver(context, call, info.record.name, request);
  return { info, owned };
}

function stranger({ operation }: Call, { name }: OrbstackRequest, { record }: WireInfo): Error {
  return refusal("CONFLICT", operation, `a machine that is not of this key is named ${name}`, {
    hint: "Slipway leaves it alone: remove it by hand, or use another key.",
    nativeId: record.id,
  });
}

function otherSpec({ operation }: Call, { key }: OrbstackRequest, { record }: WireInfo): Error {
  return refusal("CONFLICT", operation, `another spec stands under the key ${JSON.stringify(key)}: ${record.id}`, {
    hint: "Use another key, or terminate that instance first.",
    nativeId: record.id,
  });
}

/** One that was never marked: its maker was cut off, or is at work on it right now, and then does the same. */
async function finished(
  context: OrbstackContext,
  call: Call,
  info: WireInfo,
  isCopy: boolean,
  request: OrbstackRequest,
): Promise<Found | null> {
  if (isCopy || request.fromSnapshot !== undefined) {
    if (!(await isOwnCopy(context, call, info, isCopy, request))) throw otherSpec(call, request, info);
    return await finishCopy(context, call, info, request);
  }
  if (info.record.config.default_username !== userFor(request.specHash)) throw otherSpec(call, request, info);
  return await complete(context, call, await running(context, call, info), request);
}

/** Nobody has been given it yet, so that it may be started. */
async function running({ client }: OrbstackContext, call: Call, info: WireInfo): Promise<WireInfo> {
  if (info.record.state === "running") return info;
  await client.start(call, info.record.id);
  return (await client.machine(call, info.record.id)) ?? info;
}

async function made(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<Found> {
  const { client, breaker } = context;
  const snapshot = await mustHaveSnapshot(context, call, request);
  return await context.making(call, async () => {
    breaker.assertClosed(call);
    try {
      if (snapshot !== null) return await makeCopy(context, call, snapshot, request);
      const { name, image, specHash, isolated, resources } = request;
      await client.create(call, { name, image, user: userFor(specHash), isolated, ...resources });
      breaker.close();
    } catch (error) {
      if (!isProviderError(error)) throw error;
      breaker.note(error);
      return await afterFailure(context, call, request, error);
    }
    return await marked(context, call, request);
  });
}

/** It was made: what is read now cannot undo that. */
async function marked(context: OrbstackContext, call: Call, request: OrbstackRequest): Promise<Found> {
  const info = await context.client.machine(call, request.name).catch(applied);
  const still = info === null ? null : await standingStill(context, call, info, PATIENCE_MS).catch(applied);
  const found = still === null ? null : await finished(context, call, still, false, request);
  if (found !== null) return found;
  throw withEffect(refusal("UNAVAILABLE", call.operation, `${request.name} was made, and is not there`), "unknown");
}

function applied(error: unknown): never {
  throw isProviderError(error) ? withEffect(error, "applied") : error;
}

// Nothing can be there after these.
const NOTHING_SENT: ReadonlySet<string> = new Set(["home-missing", "usage", "other-spec"]);

/** A creation that failed, or gave no answer, may have made the machine all the same: what is there now decides. */
async function afterFailure(
  context: OrbstackContext,
  call: Call,
  request: OrbstackRequest,
  error: ProviderError,
): Promise<Found> {
  const row = String(error.native?.code);
  if (call.signal?.aborted === true || error.effect === "applied" || NOTHING_SENT.has(row)) throw error;
  let found: Found | null;
  try {
    const there = await context.client.machine(call, request.name);
    // A refusal and nothing there agree. Without an answer it may be about to begin.
    if (there === null && row === "name-taken") throw passing(call, request);
    found = there === null ? null : await adopted(context, call, there, request);
  } catch (second) {
    throw isProviderError(second) && isJudgement(second) ? judged(second, row) : unclear(error);
  }
  if (found === null) throw error;
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
  });
}

/** A refusal that was read stays one; anything else is unclear. */
function unclear(error: ProviderError): ProviderError {
  return error.effect === "none" ? error : withEffect(error, "unknown");
}
