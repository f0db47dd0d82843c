import { isProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { complete } from "./complete.ts";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { isMachineId } from "./ids.ts";
import type { Found } from "./look-up.ts";
import { isOurUser, isSnapshotName, userFor } from "./marks.ts";
import type { OrbstackRequest } from "./request.ts";
import type { WireInfo, WireMachine } from "./wire.ts";

/** The snapshot that the request names; null if it names none. NOT_FOUND, or INVALID_STATE if it is not ready. */
export async function mustHaveSnapshot(
  { client }: OrbstackContext,
  call: Call,
  { fromSnapshot }: OrbstackRequest,
): Promise<WireMachine | null> {
  if (fromSnapshot === undefined) return null;
  const info = isMachineId(fromSnapshot) ? await client.machine(call, fromSnapshot) : null;
  const machine = info?.record;
  if (machine === undefined || !isSnapshotName(machine.name) || !isOurUser(machine.config.default_username)) {
    throw refusal("NOT_FOUND", call.operation, `there is no snapshot ${JSON.stringify(fromSnapshot)}`);
  }
  if (machine.state === "stopped") return machine;
  throw refusal("INVALID_STATE", call.operation, `snapshot ${fromSnapshot} is ${machine.state}, and not stopped`, {
    nativeId: machine.id,
  });
}

/** A copy of a snapshot under the request's name, started and marked. */
export async function makeCopy(
  context: OrbstackContext,
  call: Call,
  snapshot: WireMachine,
  request: OrbstackRequest,
): Promise<Found> {
  const { client, breaker } = context;
  await client.clone(call, snapshot.name, request.name);
  const info = await client.machine(call, request.name);
  if (info === null) {
    throw withEffect(refusal("UNAVAILABLE", call.operation, `${request.name} was made, and is not there`), "unknown");
  }
  const found = await finishCopy(context, call, info, request);
  breaker.close();
  return found;
}

/** Every step may be done again: by another process too, if this one is killed between two of them. */
export async function finishCopy(
  context: OrbstackContext,
  call: Call,
  copy: WireInfo,
  request: OrbstackRequest,
): Promise<Found> {
  const { client } = context;
  try {
    if (copy.record.state !== "running") {
      await configure(context, call, request);
      await client.start(call, copy.record.id);
    }
    const info = (await client.machine(call, copy.record.id)) ?? copy;
    return await complete(context, call, info, request);
  } catch (error) {
    throw isProviderError(error) ? withEffect(error, "applied") : error;
  }
}

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

/** The user first: from then on the copy says of which spec it is. The limits hold from the start that follows. */
async function configure(
  { client }: OrbstackContext,
  call: Call,
  { name, specHash, resources }: OrbstackRequest,
): Promise<void> {
  const { cpus, memoryBytes, diskBytes } = resources;
  await client.configure(call, name, "username", userFor(specHash));
  if (cpus !== undefined) await client.configure(call, name, "cpu", String(cpus));
  if (memoryBytes !== undefined) {
    await client.configure(call, name, "memory_mib", String(Math.ceil(memoryBytes / MEBIBYTE)));
  }
  if (diskBytes !== undefined) {
    await client.configure(call, name, "disk_bytes", String(Math.ceil(diskBytes / GIBIBYTE) * GIBIBYTE));
  }
}

const LOOK_MS = 500;
/** A copy gets its user right after it was made: whoever has not done it by then was killed. */
const OTHERS_MS = 15_000;

/**
 * Is a copy that was not marked yet the request's own? It says so by its user. One that does not say it in time was left
 * by a maker who was cut off between two commands, and of which snapshot it is cannot be told: it is not ours to finish.
 */
export async function isOwnCopy(
  { client, clock }: OrbstackContext,
  call: Call,
  copy: WireInfo,
  isCopy: boolean,
  { specHash, fromSnapshot }: OrbstackRequest,
): Promise<boolean> {
  const isMine = ({ record }: WireInfo): boolean => record.config.default_username === userFor(specHash);
  let now: WireInfo | null = copy;
  const until = clock.now() + OTHERS_MS;
  while (now !== null && !isMine(now) && isCopy && fromSnapshot !== undefined && clock.now() < until) {
    await clock.sleep(LOOK_MS, call.signal);
    now = await client.machine(call, copy.record.id);
  }
  return now !== null && isMine(now);
}
