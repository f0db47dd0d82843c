import type { Driver, ListHint } from "@slipway/provider-kit/driver";
import { refusals } from "@slipway/provider-kit/errors";
import { isOneOf } from "@slipway/provider-kit/filters";
import type { RunpodContext } from "./context.ts";
import { isId } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { type RunpodInstance, statusOf, toInstance } from "./instance.ts";
import { mountFor } from "./mounts.ts";
import { ownershipOf } from "./ownership.ts";
import { choosePlace } from "./placements.ts";
import { type Prepared, prepare, type RunpodSpawnOptions } from "./request.ts";
import { render } from "./start-command.ts";
import type { SeenPod, WirePod } from "./wire.ts";

const refusal = refusals(PROVIDER);

/** Pods at RunPod: the ownership stands in their environment, names are not unique, listings show what is gone for a while. */
export function runpodDriver(context: RunpodContext): Driver<SeenPod, RunpodInstance, RunpodSpawnOptions, Prepared> {
  const { client, clock, readiness, sshKeys } = context;
  return {
    isId,
    identify: (pod) => ({
      id: pod.id,
      name: pod.name,
      status: statusOf(pod),
      ownership: ownershipOf(pod),
      createdAt: pod.createdAt,
    }),
    toInstance: (pod, base) => toInstance(pod, base, clock),
    bootstrap: { format: "shell", executed: true, render },
    confirmsListed: true,
    waitsForUnseen: true,

    list: async function* (call, hint) {
      const pods = await client.pods(call);
      // A spawn looks for its key alone, and reads what it finds once more.
      if (call.operation === "spawn") return yield pods;
      yield await readiness.allSeen(call, pods.filter(wantedBy(hint)));
    },
    // A pod is `running` once sshd's port answers, whoever looks.
    get: async (call, id) => {
      const pod = await client.pod(call, id);
      return pod === null ? null : await readiness.seen(call, pod);
    },
    peek: (call, id) => client.pod(call, id),
    prepare: (call, request) => prepare(context, call.operation, request),
    create: async (call, { options, prepared: { body, secrets } }) => {
      if (body.startSsh === true && readiness.probes) await sshKeys.mustBeThere(call);
      const mount = await mountFor(context, call, options);
      const { machine, dataCenter } = await choosePlace(context, call, { ...options, ...mount?.place });
      const place = {
        cloud: machine.cloud,
        ...(machine.gpu === undefined ? {} : { gpu: machine.gpu }),
        ...(machine.cpu === undefined ? {} : { cpu: machine.cpu }),
        ...(dataCenter === undefined ? {} : { dataCenterIds: [dataCenter] }),
        ...(mount === null ? {} : { mounts: mount.mounts }),
      };
      const pod = await client.create(call, { ...body, ...place }, secrets);
      if (pod.name !== undefined && pod.name !== body.name) {
        throw refusal("INTERNAL", call.operation, "the answer to the create is about another pod", {
          effect: "applied",
          hint: "Look the key up: the pod was made, and this answer does not name it.",
        });
      }
      // What was asked for, where the answer leaves it out.
      return { machine: { ...pod, env: pod.env ?? body.env } };
    },
    destroy: async (call, id) => {
      const outcome = await client.remove(call, id);
      if (outcome === "accepted") readiness.forget(id);
      return outcome;
    },
  };
}

/** No other pod is probed. */
function wantedBy({ owner, ids, keys }: ListHint): (pod: WirePod) => boolean {
  const [isId, isKey] = [isOneOf(ids), isOneOf(keys)];
  return (pod) => {
    const ownership = ownershipOf(pod);
    if (ownership === null || (owner !== undefined && ownership.owner !== owner)) return false;
    return isId(pod.id) && (ownership.key === null || isKey(ownership.key));
  };
}
