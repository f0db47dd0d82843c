import { isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import { complete } from "./complete.ts";
import { isMachineId, type OrbstackContext } from "./context.ts";
import { applied, refusal, wentAway } from "./errors.ts";
import type { Found } from "./lookup.ts";
import type { OrbstackRequest } from "./request.ts";
import { isOurUser, isSnapshotName, type Tag, userFor } from "./tags.ts";
import { startMachine } from "./transition.ts";
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

/** Configures, starts and tags a copy. Every step may be done again: by another process too, if this one is killed in between. */
export async function finishCopy(
  context: OrbstackContext,
  call: Call,
  copy: WireInfo,
  request: OrbstackRequest,
): Promise<Found> {
  try {
    if (copy.record.state !== "running") {
      await configure(context, call, copy.record, request);
      await startMachine(context, call, copy.record.id);
    }
    const info = (await context.client.machine(call, copy.record.id)) ?? copy;
    return await complete(context, call, info, request, true);
  } catch (error) {
    const isGone = isProviderError(error) && error.native?.code === "machine-not-found";
    return applied(isGone ? wentAway(call, copy.record.id) : error);
  }
}

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

/**
 * What this Mac shows a copy comes first, then the user: from then on the copy says of which spec it is, and must not be
 * started with more than was asked for. The limits hold from the start that follows.
 */
async function configure(
  { client }: OrbstackContext,
  call: Call,
  { name, config }: WireMachine,
  { specHash, isolated, resources }: OrbstackRequest,
): Promise<void> {
  const { cpus, memoryBytes, diskBytes } = resources;
  const leaves: readonly (readonly [leaf: string, value: number | string | boolean | undefined])[] = [
    ["isolated", config.isolated === isolated ? undefined : isolated],
    ["forward_ssh_agent", config.isolated === isolated ? undefined : !isolated],
    ["username", userFor(specHash)],
    ["cpu", cpus],
    ["memory_mib", memoryBytes === undefined ? undefined : Math.ceil(memoryBytes / MEBIBYTE)],
    ["disk_bytes", diskBytes === undefined ? undefined : Math.ceil(diskBytes / GIBIBYTE) * GIBIBYTE],
  ];
  for (const [leaf, value] of leaves) {
    if (value !== undefined) await client.configure(call, name, leaf, String(value));
  }
}

const LOOK_MS = 500;
/** A copy gets its user right after it was made: whoever has not done it by then was killed. */
const OTHERS_MS = 15_000;

/** A copy that was not tagged yet, as it is when it has the user of a spec, or will not get one any more; null if it went away. */
export async function settledCopy(
  { client, clock }: OrbstackContext,
  call: Call,
  copy: WireInfo,
  copyOf: Tag | null,
  { fromSnapshot }: OrbstackRequest,
): Promise<WireInfo | null> {
  let now: WireInfo | null = copy;
  const until = clock.now() + OTHERS_MS;
  while (now !== null && hasSourcesUser(now, copyOf) && fromSnapshot !== undefined && clock.now() < until) {
    await clock.sleep(LOOK_MS, call.signal);
    now = await client.machine(call, copy.record.id);
  }
  return now;
}

/** Whose it is and of which spec, a copy says by its user, from right after it was made. */
export function isOwnCopy({ record }: WireInfo, { specHash }: OrbstackRequest): boolean {
  return record.config.default_username === userFor(specHash);
}

/**
 * Was it left by a maker who was cut off between two commands? It still has all of what it was copied from, and of which
 * snapshot that was cannot be told: so nobody was given it, and nobody can finish it.
 */
export function isLeftCopy(copy: WireInfo, copyOf: Tag | null, { fromSnapshot }: OrbstackRequest): boolean {
  return fromSnapshot !== undefined && copy.record.state === "stopped" && hasSourcesUser(copy, copyOf);
}

function hasSourcesUser({ record }: WireInfo, copyOf: Tag | null): boolean {
  return copyOf !== null && record.config.default_username === userFor(copyOf.specHash);
}
