import { isProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { Call } from "./client.ts";
import type { LambdaContext } from "./context.ts";
import { type LambdaInstance, materialize } from "./instance.ts";
import { existing, provisional } from "./look-up.ts";
import { mountsFor, type SpawnMounts } from "./mounts.ts";
import { type ChosenPlace, choosePlace, type Place } from "./placements.ts";
import { type LambdaRequest, type LambdaSpawnOptions, requestOf } from "./request.ts";
import { bodyOf, keyNameFor } from "./ssh-keys.ts";
import { userData } from "./user-data.ts";
import type { LaunchBody } from "./wire.ts";

/** One launch, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(context: LambdaContext, options: LambdaSpawnOptions): Promise<LambdaInstance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  checkUserData(request, call);
  return await context.inTurn(`spawn ${request.key}`, call, async () => {
    const found = await existing(context, call, request);
    return found ?? (await launched(context, call, request));
  });
}

// After a wait that is longer the key may have been launched elsewhere.
const LOOKED_UP_MS = 2_000;

/**
 * Launches of one process come one after the other as far as the moment of sending, since a queue of many takes long: what
 * was read before it began is not true at its end.
 */
async function launched(context: LambdaContext, call: Call, request: LambdaRequest): Promise<LambdaInstance> {
  const { clock } = context;
  const lookedUpAt = clock.now();
  const outcome = await context.inTurn("launch", call, async () => {
    const found = clock.now() - lookedUpAt > LOOKED_UP_MS ? await existing(context, call, request) : null;
    return found === null ? await sendLaunch(context, call, request) : { found };
  });
  if ("found" in outcome) return outcome.found;
  const { body, place, answer } = outcome;
  const id = await answer;
  const asked = askedFor(id, body, place, context);
  context.launched.add(request.key, id, asked);
  return await readBack(context, call, id, asked);
}

/** Before any call: as large as it can get, but for the names of filesystems. */
function checkUserData({ script, options }: LambdaRequest, { operation }: Call): void {
  userData({ script, sshKeys: (options.sshKeys ?? []).slice(1), links: [] }, operation);
}

interface SentLaunch {
  readonly body: LaunchBody;
  readonly place: ChosenPlace;
  /** The id; rejects as the launch does. */
  readonly answer: Promise<string>;
}

/** Prepares the launch and sends it; resolves when it is sent, and not when it is answered. */
async function sendLaunch(context: LambdaContext, call: Call, request: LambdaRequest): Promise<SentLaunch> {
  const { options, script } = request;
  const [publicKey, ...furtherKeys] = options.sshKeys ?? [];
  const mounts = await mountsFor(context, call, options);
  const place = await choosePlace(context, call, { ...options, region: mounts.region ?? options.region });
  // A key may be added, so what can be refused is refused before.
  const text = userData({ script, sshKeys: furtherKeys, links: mounts.links }, call.operation);
  const keyName = await keyNameFor(context, call, publicKey);
  const body = bodyFor(request, place, keyName, mounts, text);
  return await new Promise((resolve) => {
    const secrets = bootstrapSecrets(script, text);
    const answer = context.client.launch(call, body, { secrets, onSent: () => resolve({ body, place, answer }) });
    answer.catch((error: unknown) => {
      // The key that was looked up may have been removed since.
      if (publicKey !== undefined && isProviderError(error, "INVALID_SPEC")) context.keyNames.delete(bodyOf(publicKey));
      // Also where it was never sent.
      resolve({ body, place, answer });
    });
  });
}

function bodyFor(
  { name, tags, options }: LambdaRequest,
  place: Place,
  keyName: string,
  mounts: SpawnMounts,
  text: string | undefined,
): LaunchBody {
  return {
    region_name: place.region,
    instance_type_name: place.spec,
    ssh_key_names: [keyName],
    name,
    tags,
    ...(text === undefined ? {} : { user_data: text }),
    ...(options.image === undefined ? {} : { image: imageOf(options.image) }),
    ...(mounts.names.length === 0 ? {} : { file_system_names: mounts.names }),
    ...(mounts.mounts.length === 0 ? {} : { file_system_mounts: mounts.mounts }),
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function imageOf(image: string): { readonly id: string } | { readonly family: string } {
  return UUID.test(image) ? { id: image } : { family: image };
}

function askedFor(id: string, body: LaunchBody, place: ChosenPlace, { clock }: LambdaContext): LambdaInstance {
  return provisional(
    id,
    {
      name: body.name,
      tags: body.tags,
      region: { name: body.region_name },
      instance_type: place.type ?? { name: place.spec },
      ssh_key_names: body.ssh_key_names,
      file_system_names: body.file_system_names,
    },
    clock,
  );
}

/** The instance is there and paid for, whatever becomes of this read: a listing that lags is no failure. */
async function readBack(
  context: LambdaContext,
  call: Call,
  id: string,
  asked: LambdaInstance,
): Promise<LambdaInstance> {
  try {
    const wire = await context.client.instance(call, id);
    return wire === null ? asked : materialize(wire, context.clock);
  } catch {
    return asked;
  }
}
