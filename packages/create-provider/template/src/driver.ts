// #if idempotentSpawn
import { isProviderError, type SpawnOptions } from "@slipway/core";
// #else
import type { SpawnOptions } from "@slipway/core";
// #end
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { type Driver, ownershipTags, type SpawnRequest } from "@slipway/provider-kit/driver";
import type { __Name__Client } from "./client/client.ts";
import { type __Name__Instance, statusOf, toInstance } from "./instance.ts";
import type { __Name__Capability } from "./provider.ts";
import type { CreateBody, WireMachine } from "./wire.ts";

export type __Name__SpawnOptions = SpawnOptions<__Name__Capability>;

export const MAX_USER_DATA_BYTES = 65_536;

/** What a spawn without a spec gets. */
const DEFAULT_TYPE = "small";

// What could be an id is asked for, and nothing else reaches a path or an argument list.
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

export function isId(id: string): boolean {
  return ID.test(id);
}

/** Owner, key and labels as tags, written in the call that creates. */
export const ownership = ownershipTags({ prefix: "slipway-", remote: "__NAME__" });
// #if hibernation

/** The tag of a machine that was spawned with `hibernation: true`. */
export const HIBERNATION_TAG = "slipway-hibernation";
// #end

/** All that is special about __NAME__; the keyed life cycle over it is the kit's. */
// #if multiRegion
export function __name__Driver(
  client: __Name__Client,
  defaultRegion: string,
): Driver<WireMachine, __Name__Instance, __Name__SpawnOptions> {
  const fill = ({ spec = DEFAULT_TYPE, region = defaultRegion }: __Name__SpawnOptions) => ({ spec, region });
// #else
export function __name__Driver(client: __Name__Client): Driver<WireMachine, __Name__Instance, __Name__SpawnOptions> {
  const fill = ({ spec = DEFAULT_TYPE }: __Name__SpawnOptions) => ({ spec });
// #end
  return {
    isId,
    identify: ({ id, name, state, tags, createdAt }) => ({
      id,
      name,
      status: statusOf(state),
      ownership: ownership.read(tags),
      createdAt,
    }),
    toInstance,
    bootstrap: { format: "cloud-init", maxBytes: MAX_USER_DATA_BYTES },
    labelFault: (name) => ownership.reserved(name),
    // What this package fills in is part of what a repeated key is compared by.
    specOf: (options) => ({ ...options, ...fill(options) }),
    // What can be refused without a call is refused here, with INVALID_SPEC.
    prepare: () => undefined,

    list: async function* (call) {
      yield await client.list(call);
    },
    get: (call, id) => client.read(call, id),
    create: async (call, request) => {
      const body = bodyOf(request, fill(request.options));
      const secrets = bootstrapSecrets(request.script);
      // #if idempotentSpawn
      try {
        return { machine: await client.create(call, body, secrets) };
      } catch (error) {
        // Names are unique among what lives: another process was quicker, or the last machine of the key is terminating.
        if (isProviderError(error, "CONFLICT")) return { error, lookUp: true, retry: true };
        throw error;
      }
      // #else
      return { machine: await client.create(call, body, secrets) };
      // #end
    },
    destroy: (call, id) => client.remove(call, id),
  };
}

function bodyOf(
  { name, ownership: owned, script, options }: SpawnRequest<__Name__SpawnOptions>,
  // #if multiRegion
  { spec: type, region }: { readonly spec: string; readonly region: string },
  // #else
  { spec: type }: { readonly spec: string },
  // #end
): CreateBody {
  return {
    name,
    type,
    image: options.image,
    // #if hibernation
    tags: { ...ownership.write(owned), ...(options.hibernation === true ? { [HIBERNATION_TAG]: "yes" } : {}) },
    // #else
    tags: ownership.write(owned),
    // #end
    userData: script?.content,
    sshKeys: options.sshKeys,
    // #if multiRegion
    region,
    // #end
    // #if gpu
    gpus: options.gpu,
    // #end
    // #if persistentVolumes
    disks: options.volumes?.map(({ id, mountPath }) => ({ id, path: mountPath })),
    // #end
    // #if snapshots
    ...(options.fromSnapshot === undefined ? {} : { image: options.fromSnapshot }),
    // #end
  };
}
