import { isProviderError, nameFor, type ProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import {
  type Call,
  type Created,
  type Driver,
  type ListHint,
  type SpawnRequest,
  utcTime,
} from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { isNotThere } from "./client.ts";
import { destroy } from "./destroy.ts";
import { operationFailure } from "./errors.ts";
import { type InsertBody, insertBody, type Prepared, prepare } from "./insert-body.ts";
import { type GcpInstance, statusOf, toInstance } from "./instance.ts";
import { OWNER_LABEL, ownershipOf } from "./ownership.ts";
import { addressOf, composeId, type GcpRemote, type GcpSpawnOptions, isId, numberOf, refusal } from "./remote.ts";
import { byNames, LONGEST_FILTER, singleFlightReads } from "./single-flight-reads.ts";
import { sourceOf } from "./snapshots.ts";
import { checkSpotCap } from "./spot.ts";
import { checkDisks } from "./volumes.ts";
import type { WireInstance, WireOperation } from "./wire.ts";

export type GcpDriver = Driver<WireInstance, GcpInstance, GcpSpawnOptions, Prepared>;
type Request = SpawnRequest<GcpSpawnOptions, Prepared>;

const INSERT_TRIES = 3;
const PAUSE_MS = 2_000;
/** A deletion takes minutes at times; whoever spawns its key meanwhile waits so long. */
export const LONGEST_DELETION_MS = 300_000;

/** Instances of one project. A name is unique in its zone: that decides between processes. The number is the incarnation. */
export function gcpDriver(remote: GcpRemote): GcpDriver {
  const { client, project, zones } = remote;
  return {
    isId,
    nativeIdOf: numberOf,
    identify: (wire) => ({
      id: composeId({ project, zone: wire.zone, name: wire.name, number: wire.id }),
      nativeId: wire.id,
      name: wire.name,
      status: statusOf(wire),
      ownership: ownershipOf(wire),
      createdAt: utcTime(wire.creationTimestamp),
    }),
    toInstance,
    bootstrap: { format: "cloud-init", formats: ["cloud-init", "shell"], executed: true },
    // A list may show what is gone; a read of one instance does not lag.
    confirmsListed: true,
    specOf: (options) => ({ ...options, image: options.image ?? remote.image }),

    list: (call, hint) => client.list(call, filterOf(hint), zones),
    get: (call, id) => read(remote, call, id),
    peek: singleFlightReads(remote, (call, id) => read(remote, call, id)),
    prepare: (call, request) => prepare(remote, call.operation, request),
    create: (call, request) => create(remote, call, request),
    finish: async (call, machine, _request, origin) =>
      origin === "created" ? await standing(remote, call, machine) : await settled(remote, call, machine),
    destroy: (call, id, machine) => destroy(remote, call, id, machine),
  };
}

/** By name where a key or a name is looked for: `nameFor` leads to both, whoever made what stands there. */
function filterOf({ owner, keys, names = [] }: ListHint): string {
  const known = owner === undefined || keys === undefined ? [] : keys.map((key) => nameFor(owner, key));
  const all = [...new Set([...names, ...known])];
  if (all.length > 0 && all.length <= LONGEST_FILTER) return byNames(all);
  return owner === undefined ? `labels.${OWNER_LABEL}:*` : `labels.${OWNER_LABEL} = "${owner}"`;
}

async function read({ client, project, zones }: GcpRemote, call: Call, id: string): Promise<WireInstance | null> {
  const address = addressOf(id);
  if (address === null) {
    for await (const page of client.list(call, `id = ${id}`, zones)) {
      const found = page.find((machine) => machine.id === id);
      if (found !== undefined) return found;
    }
    return null;
  }
  if (address.project !== project) {
    throw refusal("INVALID_SPEC", call.operation, `${id} is of another project than ${project}`);
  }
  const found = await client.instance(call, address.zone, address.name);
  // The name may have gone to a younger one.
  return found?.id === address.number ? found : null;
}

/** One insert, to the end of its operation. */
async function create(remote: GcpRemote, call: Call, request: Request): Promise<Created<WireInstance>> {
  const { zone } = request.prepared;
  // New for each attempt: an old one would be answered with the operation of an instance that is gone.
  const requestId = crypto.randomUUID();
  const body = insertBody(remote, request, requestId);
  const cap = request.options.spot?.maxUsdPerHour;
  if (cap !== undefined) await checkSpotCap(remote, call, zone, request.prepared.machine.type, cap);
  await checkDisks(remote, call, request.prepared.volumes);
  const { fromSnapshot } = request.options;
  const source = fromSnapshot === undefined ? undefined : await sourceOf(remote, call, fromSnapshot);
  let sent: WireOperation;
  try {
    sent = await insert(remote, call, request, body, { requestId, sourceMachineImage: source });
  } catch (error) {
    if (isNameTaken(error)) return await afterRival(remote, call, request, error);
    throw error;
  }
  const ended = await remote.client.finished(call, zone, sent).catch((error: unknown) => {
    // The insert goes on, whoever asks for it.
    throw isProviderError(error) ? withEffect(error, "unknown") : error;
  });
  const failure = operationFailure(ended, call.operation, secretsOf(request.script, body));
  if (failure === null) {
    if (ended.targetId !== undefined) return { machine: asked(body, zone, ended, remote), isProvisional: true };
    throw refusal("INTERNAL", call.operation, `${body.name} was made, and Google does not say its number`, {
      effect: "applied",
    });
  }
  if (failure.native?.code === "RESOURCE_ALREADY_EXISTS") {
    return await afterRival(remote, call, request, withEffect(failure, "none"));
  }
  const left = await leftOver(remote, call, zone, body.name, ended.targetId);
  throw withEffect(failure, left);
}

/** Repeats what is unclear under the same request id, which Google answers with the same operation. */
async function insert(
  { client, clock }: GcpRemote,
  call: Call,
  { script, prepared }: Request,
  body: InsertBody,
  under: { readonly requestId: string; readonly sourceMachineImage: string | undefined },
): Promise<WireOperation> {
  const secrets = secretsOf(script, body);
  let unclear: ProviderError | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.insert(call, prepared.zone, body, { ...under, secrets });
    } catch (error) {
      // A refusal of the repeat says nothing of the first one, unless it says that the name is taken.
      if (unclear !== undefined && isProviderError(error) && error.effect === "none" && !isNameTaken(error))
        throw unclear;
      if (!isProviderError(error) || error.effect === "none" || error.code === "CANCELLED") throw error;
      if (attempt === INSERT_TRIES || call.signal?.aborted === true) throw error;
      unclear = error;
      await clock.sleep(PAUSE_MS, call.signal).catch(() => {
        throw error;
      });
    }
  }
}

function secretsOf(script: Request["script"], { metadata }: InsertBody): readonly string[] {
  return bootstrapSecrets(script, metadata.items.find(({ key }) => key === "user-data")?.value);
}

function isNameTaken(error: unknown): boolean {
  return isProviderError(error, "CONFLICT") && error.native?.status === 409;
}

/** The name is taken: by an instance that the kit looks at, by one that goes, or by an insert that nobody can see yet. */
async function afterRival(
  remote: GcpRemote,
  call: Call,
  { name, prepared }: Request,
  error: unknown,
): Promise<Created<WireInstance>> {
  const there = await remote.client.instance(call, prepared.zone, name);
  if (there !== null && statusOf(there) !== "terminating") return { error, lookUp: true, retry: true };
  const waited = await nameFreed(remote, call, prepared.zone, name);
  return { error, lookUp: !waited, retry: true };
}

/** Waits for the operations that hold a name. False if there was none. Throws BUSY where it takes too long. */
async function nameFreed({ client, clock }: GcpRemote, call: Call, zone: string, name: string): Promise<boolean> {
  const until = clock.now() + LONGEST_DELETION_MS;
  for (let waited = false; ; waited = true) {
    const holding = (await client.running(call, zone)).filter(({ targetLink = "" }) =>
      targetLink.endsWith(`/instances/${name}`),
    );
    const there = await client.instance(call, zone, name);
    if (holding.length === 0 && (there === null || statusOf(there) !== "terminating")) return waited;
    if (clock.now() >= until) {
      throw refusal(
        "BUSY",
        call.operation,
        `${name} has an operation under way, and its name is free only after that`,
        {
          nativeId: there?.id,
          retryAfterMs: 30_000,
        },
      );
    }
    await clock.sleep(PAUSE_MS, call.signal);
  }
}

/** The instance that was just made; somebody, or Google itself, may have begun to delete it meanwhile. */
async function standing({ client }: GcpRemote, call: Call, machine: WireInstance): Promise<WireInstance> {
  if (statusOf(machine) !== "terminating") return machine;
  // Only the operation tells Google's own from anybody's; a list that fails tells nothing more.
  const isPreempted = await client.isPreempted(call, machine.zone, machine.id).catch(() => false);
  throw refusal(
    isPreempted ? "SPOT_INTERRUPTED" : "BUSY",
    call.operation,
    `${machine.name} was made, and is being deleted already`,
    {
      effect: "applied",
      nativeId: machine.id,
      retryAfterMs: 30_000,
    },
  );
}

/** An instance of the key as it is once its insert has ended; null if it failed, or goes. */
async function settled(remote: GcpRemote, call: Call, machine: WireInstance): Promise<WireInstance | null> {
  const { client } = remote;
  if (statusOf(machine) === "terminating") {
    await nameFreed(remote, call, machine.zone, machine.name);
    return null;
  }
  if (machine.status !== "PROVISIONING" && machine.status !== "STAGING") return machine;
  const inserts = (await client.running(call, machine.zone)).filter(({ targetId }) => targetId === machine.id);
  for (const operation of inserts) await client.finished(call, machine.zone, operation);
  if (inserts.length === 0) return machine;
  const now = await client.instance(call, machine.zone, machine.name);
  if (now === null || now.id !== machine.id) return null;
  if (statusOf(now) === "terminating") return await settled(remote, call, now);
  return now;
}

/** After a failed insert: what is true, once what it left has been removed. */
async function leftOver(
  remote: GcpRemote,
  call: Call,
  zone: string,
  name: string,
  number: string | undefined,
): Promise<"none" | "applied" | "unknown"> {
  const { client } = remote;
  let there: WireInstance | null;
  try {
    there = await client.instance(call, zone, name);
  } catch {
    return "unknown";
  }
  if (there === null) return "none";
  if (number === undefined) return "unknown";
  if (there.id !== number) return "none";
  try {
    const removal = await client.remove(call, zone, number, crypto.randomUUID());
    const ended = operationFailure(await client.finished(call, zone, removal), call.operation);
    return ended === null || ended.code === "NOT_FOUND" ? "none" : "applied";
  } catch (error) {
    if (!isNotThere(error)) return "applied";
    // Not by its number: what the name shows decides, as for a deletion.
    const now = await client.instance(call, zone, name).catch(() => there);
    return now?.id === number ? "applied" : "none";
  }
}

/** The instance of an insert that succeeded, as it was asked for: until it is read. */
function asked(body: InsertBody, zone: string, { targetId = "0" }: WireOperation, { clock }: GcpRemote): WireInstance {
  const { scheduling, guestAccelerators } = body;
  const items = body.metadata.items.filter(({ key }) => key.startsWith("slipway-"));
  return {
    id: targetId,
    name: body.name,
    status: "PROVISIONING",
    statusMessage: undefined,
    zone,
    machineType: body.machineType.slice(body.machineType.lastIndexOf("/") + 1),
    creationTimestamp: new Date(clock.now()).toISOString(),
    labels: body.labels,
    metadata: { items: Object.fromEntries(items.map(({ key, value }) => [key, value])) },
    networkInterfaces: undefined,
    scheduling,
    guestAccelerators: guestAccelerators?.map(({ acceleratorType, acceleratorCount }) => ({
      acceleratorType: acceleratorType.slice(acceleratorType.lastIndexOf("/") + 1),
      acceleratorCount,
    })),
    disks: undefined,
    resourceStatus: undefined,
  };
}
