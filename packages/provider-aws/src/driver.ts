import type { Destroyed, Driver, Identity } from "@slipway/provider-kit/driver";
import { afterWrite, refusal } from "./call.ts";
import { attachAtSpawn } from "./capabilities/attach.ts";
import { claimAtSpawn } from "./capabilities/warm-volumes.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeIdOf, regionsOf } from "./ids.ts";
import { type AWSInstance, isEnding } from "./instance.ts";
import { launch } from "./launch.ts";
import { describe, describeIn, instancesOf, isInstanceId } from "./lookup.ts";
import { type AWSSpawnOptions, type AwsRequest, type Prepared, prepare } from "./request.ts";
import { labelFault } from "./tags.ts";

/** EC2's instances, in several regions. A client token decides between processes, within one place. */
export function awsDriver(context: AwsContext): Driver<AWSInstance, AWSInstance, AWSSpawnOptions, Prepared> {
  return {
    isId: isInstanceId,
    nativeIdOf,
    identify,
    toInstance: (instance) => instance,
    bootstrap: { format: "cloud-init", formats: ["cloud-init", "shell"], executed: true },
    labelFault,
    list: (call, hint) => instancesOf(context, call, hint),
    get: (call, id) => describe(context, call, id),
    prepare: (call, request) => prepare(context, call.operation, request),
    create: (call, request, attempt) => launch(context, call, request, attempt),
    finish: (call, instance, request) => withItsVolumes(context, call, request, instance),
    destroy: (call, id, instance) => destroy(context, call, id, instance),
  };
}

function identify(instance: AWSInstance): Identity {
  const { id, nativeId, status, createdAt, owner, key, specHash, labels, expiresAt, name, remoteName } = instance;
  // What is ours has a tag of its own for its name: people may change the one that they see.
  if (owner === null) return { id, nativeId, status, createdAt, name: remoteName, ownership: null };
  return { id, nativeId, status, createdAt, ownership: { owner, key, specHash, labels, expiresAt, displayName: name } };
}

/** The second half of a spawn with volumes; a repeated spawn finishes what a killed one began. */
async function withItsVolumes(
  context: AwsContext,
  call: Call,
  { options }: AwsRequest,
  instance: AWSInstance,
): Promise<AWSInstance> {
  const { warmVolume, volumes = [] } = options;
  if (volumes.length === 0 && warmVolume === undefined) return instance;
  if (instance.status !== "pending" && instance.status !== "running") return instance;
  const { region, nativeId } = instance;
  return await afterWrite(call, "the instance is there", async () => {
    const volumeIds = volumes.map(({ id }) => nativeIdOf(id));
    if (volumeIds.length > 0) await attachAtSpawn(context, call, region, nativeId, volumeIds);
    if (warmVolume !== undefined) await claimAtSpawn(context, call, region, nativeId, warmVolume);
    const now = (await describeIn(context, call, region, nativeId)) ?? instance;
    if (!isEnding(now)) return now;
    throw refusal("INVALID_STATE", call.operation, `${now.id} ended while its volumes were attached`, {
      effect: "applied",
      nativeId,
      hint: "Spawn it again with the same key: that makes a new one.",
    });
  });
}

async function destroy(context: AwsContext, call: Call, id: string, instance: AWSInstance | null): Promise<Destroyed> {
  const nativeId = nativeIdOf(id);
  for (const region of instance === null ? regionsOf(context, id) : [instance.region]) {
    if ((await context.batches.terminate(call, region, nativeId)) === "unknown") continue;
    // Whoever does not see yet what has ended here comes to the same generation, and so to the same token.
    context.launched.drop(nativeId);
    return "accepted";
  }
  return "gone";
}
