import { isProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { type Call, type Driver, ownershipTags, type SpawnRequest } from "@slipway/provider-kit/driver";
import { type LambdaInstance, statuses, toInstance } from "./instance.ts";
import { mountsFor, type SpawnMounts } from "./mounts.ts";
import { choosePlace, type Place } from "./placements.ts";
import { isId, type LambdaRemote, type LambdaSpawnOptions, refusal } from "./remote.ts";
import { keyMaterial, keyNameFor } from "./ssh-keys.ts";
import { userData } from "./user-data.ts";
import type { LaunchBody, WireInstance } from "./wire.ts";

export type LambdaDriver = Driver<WireInstance, LambdaInstance, LambdaSpawnOptions, undefined>;
type Request = SpawnRequest<LambdaSpawnOptions, undefined>;

const ownership = ownershipTags({ prefix: "slipway:", remote: "Lambda", foreign: ["lambda-ai-"] });

/** Instances at Lambda. It has tags, no client token, names that are not unique, and reads that lag. */
export function lambdaDriver(remote: LambdaRemote): LambdaDriver {
  const { client, clock } = remote;
  return {
    isId,
    identify: (wire) => ({
      id: wire.id,
      name: wire.name,
      status: statuses.statusOf(wire.status),
      ownership: ownership.read(Object.fromEntries((wire.tags ?? []).map(({ key, value }) => [key, value]))),
    }),
    toInstance: (wire, base) => toInstance(wire, base, clock),
    bootstrap: { format: "cloud-init", formats: ["cloud-init", "shell"], executed: true },
    labelFault,
    createQueue: { lookupMaxAgeMs: 2_000 },

    list: async function* (call) {
      yield await client.instances(call);
    },
    get: (call, id) => client.instance(call, id),
    // Many ends at once share one listing.
    peek: async (call, id) => (await client.instances(call)).find((row) => row.id === id) ?? null,
    prepare: (call, request) => check(remote, call, request),
    create: (call, request, { sent }) => launch(remote, call, request, sent),
    destroy: async (call, id) => {
      try {
        return await client.terminate(call, id);
      } catch (error) {
        // Lambda answers the second end of one instance so.
        if (isProviderError(error) && error.native?.code === "global/unknown") return { unclear: error };
        throw error;
      }
    },
  };
}

function check(
  { sshKeyName }: LambdaRemote,
  { operation }: Call,
  { options, script }: SpawnRequest<LambdaSpawnOptions>,
): undefined {
  const { spec, resources, gpu, sshKeys = [] } = options;
  if (spec === undefined && resources === undefined && gpu === undefined) {
    throw refusal("INVALID_SPEC", operation, "one of spec, resources and gpu is needed", {
      hint: 'Lambda has no default machine type: name one as gpu_1x_a10, or ask for gpu: { type: "a10", count: 1 }.',
    });
  }
  if (sshKeys.length === 0 && sshKeyName === undefined) {
    throw refusal("INVALID_SPEC", operation, "sshKeys is empty, and Lambda starts nothing without an SSH key", {
      hint: "Give sshKeys, or configure sshKeyName with the name of a key of the account.",
    });
  }
  // As large as it can get, but for the names of filesystems.
  userData({ script, sshKeys: sshKeys.slice(1), links: [] }, operation);
}

async function launch(remote: LambdaRemote, call: Call, request: Request, sent: () => void) {
  const { options, script } = request;
  const [publicKey, ...furtherKeys] = options.sshKeys ?? [];
  const mounts = await mountsFor(remote, call, options);
  const place = await choosePlace(remote, call, { ...options, region: mounts.region ?? options.region });
  // A key may be added, so what can be refused is refused before.
  const text = userData({ script, sshKeys: furtherKeys, links: mounts.links }, call.operation);
  const body = bodyFor(request, place, await keyNameFor(remote, call, publicKey), mounts, text);
  try {
    return await send(remote, call, { request, place, body, text }, sent);
  } catch (error) {
    if (publicKey === undefined || !isProviderError(error, "INVALID_SPEC")) throw error;
    // The key that was looked up may have been removed since, as by a cleanup: then once more with it.
    remote.keyNames.delete(keyMaterial(publicKey));
    const keys = await remote.client.sshKeys(call);
    if (keys.some(({ name }) => body.ssh_key_names.includes(name))) throw error;
    const again = bodyFor(request, place, await keyNameFor(remote, call, publicKey), mounts, text);
    return await send(remote, call, { request, place, body: again, text }, sent);
  }
}

interface Launch {
  readonly request: Request;
  readonly place: Awaited<ReturnType<typeof choosePlace>>;
  readonly body: LaunchBody;
  readonly text: string | undefined;
}

async function send(remote: LambdaRemote, call: Call, { request, place, body, text }: Launch, sent: () => void) {
  const secrets = bootstrapSecrets(request.script, text);
  const id = await remote.client.launch(call, body, { secrets, onSent: sent });
  // Lambda answers nothing but the id.
  const { name, tags, ssh_key_names, file_system_names } = body;
  const instance_type = place.type ?? { name: place.spec };
  const region = { name: place.region };
  const asked = { id, status: "booting", name, tags, region, instance_type, ssh_key_names, file_system_names };
  return { machine: asked, isProvisional: true };
}

function bodyFor(
  { name, ownership: owned, options }: Request,
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
    tags: Object.entries(ownership.write(owned)).map(([key, value]) => ({ key, value })),
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

// Lambda's own rules for tags.
const TAG_KEY = /^[a-z][a-z0-9-:]{1,54}$/;
const TAG_VALUE_MAX = 128;

function labelFault(name: string, value: string): string | null {
  if (!TAG_KEY.test(name)) {
    return "must be 2 to 55 characters of a-z, 0-9, `-` and `:` that begin with a letter, since Lambda's tags are so";
  }
  if (value.length > TAG_VALUE_MAX) {
    return `has a value of ${value.length} characters, and Lambda's tags hold ${TAG_VALUE_MAX}`;
  }
  return ownership.reserved(name);
}
