import { isProviderError } from "@slipway/core";
import type { Call, Destroyed } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { isNotThere } from "./client.ts";
import { operationFailure } from "./errors.ts";
import { addressOf, type GcpRemote, numberOf, refusal } from "./remote.ts";
import type { WireInstance, WireOperation } from "./wire.ts";

const PAUSE_MS = 1_000;
const DELETE_TRIES = 4;

/** By its number: a name may have gone to a younger instance. Sent once, but where the rate refuses it. */
export async function destroy(
  remote: GcpRemote,
  call: Call,
  id: string,
  machine: WireInstance | null,
): Promise<Destroyed> {
  const number = numberOf(id);
  const zone = machine?.zone ?? addressOf(id)?.zone;
  const outcomes: Destroyed[] = [];
  // A bare number that no list shows may be in any configured zone.
  for (const each of zone === undefined ? remote.zones : [zone]) {
    outcomes.push(await destroyIn(remote, call, each, number));
  }
  return outcomes.find((outcome) => outcome !== "gone") ?? "gone";
}

async function destroyIn(remote: GcpRemote, call: Call, zone: string, number: string): Promise<Destroyed> {
  const { client } = remote;
  const requestId = crypto.randomUUID();
  let sent: WireOperation | undefined;
  for (let attempt = 1; sent === undefined; attempt += 1) {
    try {
      sent = await client.remove(call, zone, number, requestId);
    } catch (error) {
      const isRefused = isProviderError(error, "RATE_LIMIT_ERROR");
      if (!isRefused && !isNotThere(error)) throw error;
      // Google answers a deletion that meets another one by a 403, and one that meets an insert by a 404.
      const running = (await client.running(call, zone)).filter(({ targetId }) => targetId === number);
      sent = running.find(({ operationType }) => operationType === "delete");
      if (sent !== undefined) break;
      if (running.length > 0) throw unfinished(call, number);
      // Where a read has just shown it, the kit reads again and says so. Its name is never deleted: that may be another's by now.
      if (!isRefused) return "gone";
      // Nothing is under way: it was the rate, and the pacing holds the next one back.
      if (attempt === DELETE_TRIES) throw error;
    }
  }
  return await accepted(remote, call, zone, sent);
}

/** A deletion that has begun is accepted; one that failed is thrown. */
async function accepted(
  { client, clock }: GcpRemote,
  call: Call,
  zone: string,
  sent: WireOperation,
): Promise<Destroyed> {
  try {
    let latest = sent;
    for (let asked = 0; latest.status === "PENDING" && asked < 10; asked += 1) {
      await clock.sleep(PAUSE_MS, call.signal);
      // Many that end at once look together; what has ended by then is read by itself.
      const running = await client.runningShared(call, zone);
      latest = running.find(({ name }) => name === sent.name) ?? sent;
      if (latest !== sent) continue;
      latest = await client.operation(call, zone, sent.name).catch((error: unknown) => {
        if (isNotThere(error)) return sent;
        throw error;
      });
    }
    const failure = latest.status === "DONE" ? operationFailure(latest, call.operation) : null;
    if (failure === null) return "accepted";
    if (failure.code === "NOT_FOUND") return "gone";
    throw failure;
  } catch (error) {
    throw isProviderError(error) && error.effect === "none" ? withEffect(error, "unknown") : error;
  }
}

function unfinished({ operation }: Call, number: string): Error {
  return refusal("BUSY", operation, `${number} has another operation under way`, {
    hint: "Call again when it has ended.",
    retryAfterMs: 10_000,
    nativeId: number,
  });
}
