import { type Clock, isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { KubernetesClient } from "./client.ts";
import { DEFAULT_GRACE_SECONDS, DEFAULT_IMAGE } from "./options.ts";
import { ownershipLabels } from "./ownership.ts";
import type { KubernetesRemote, KubernetesSpawnOptions } from "./remote.ts";
import type { WireOwner, WirePod } from "./wire.ts";

/**
 * How late a pod may be gone: its grace, what the controllers of a busy cluster need, and how long the Job's creation may
 * have taken.
 */
export const TERMINATE_LATE_MS = 90_000;
/** Where a pod keeps the time that was asked for. */
export const TERMINATE_BY_ANNOTATION = "slipway.dev/terminate-by";

const KIND = { apiVersion: "batch/v1", kind: "Job" } as const;
// The server keeps times in whole seconds, cut off: a Job seems to begin up to a second before it does.
const CUT_SECONDS = 1;
// The seconds of a Job count from its creation. One that took longer than this would end its pod too late.
const SLOW_MS = 10_000;
const ATTEMPTS = 3;
// The most that a deadline of a pod takes, 68 years.
const MOST_SECONDS = 2 ** 31 - 1;

/** The Job by which a pod ends, and the seconds from its creation to then. */
export interface End {
  readonly job: WireOwner;
  readonly seconds: number;
}

/** Throws INVALID_SPEC for an end that the cluster could not keep. */
export function checkEnd(
  { config, clock, refuse }: KubernetesRemote,
  { operation }: Call,
  { terminateBy, pod }: KubernetesSpawnOptions,
): void {
  if (terminateBy === undefined) return;
  const grace = pod?.terminationGracePeriodSeconds ?? config.pod?.terminationGracePeriodSeconds ?? 0;
  if (grace > DEFAULT_GRACE_SECONDS) {
    const message = `pod.terminationGracePeriodSeconds is ${grace}: with terminateBy it may be ${DEFAULT_GRACE_SECONDS} at most`;
    throw refuse("INVALID_SPEC", operation, message);
  }
  if (secondsUntil(clock, terminateBy) > MOST_SECONDS) {
    throw refuse("INVALID_SPEC", operation, "terminateBy is more than 68 years away");
  }
}

/**
 * The end of a pod that is about to be created; undefined without `terminateBy`. A pod's own deadline counts from its start, so
 * that one which has waited for a node would end late. A Job that runs nothing has a deadline which counts from its creation:
 * then its controller removes it, and the garbage collector whatever it owns. UNAVAILABLE where the server is too slow to count
 * on it.
 */
export async function createEnd(
  { config, owner, clock, refuse }: KubernetesRemote,
  client: KubernetesClient,
  call: Call,
  { name, options: { terminateBy, image = config.image } }: { name: string; options: KubernetesSpawnOptions },
): Promise<End | undefined> {
  if (terminateBy === undefined) return undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const seconds = secondsUntil(clock, terminateBy);
    const asked = clock.now();
    const { metadata } = await client.jobs.create(call, jobBody(name, owner, image ?? DEFAULT_IMAGE, seconds));
    const job: WireOwner = { ...KIND, name: metadata.name, uid: metadata.uid };
    if (clock.now() - asked < SLOW_MS || seconds <= SLOW_MS / 1_000) return { job, seconds };
    await removeEnd(client, call, job);
  }
  const message = `the API server needed more than ${SLOW_MS / 1_000} s for the Job by which the pod would end, ${ATTEMPTS} times`;
  throw refuse("UNAVAILABLE", call.operation, message, {
    hint: "Nothing was created. Try again when it is less busy.",
  });
}

/** Removes the Job of a pod that is not there or ends anyway. One that stays removes itself at its time. */
export async function removeEnd(client: KubernetesClient, call: Call, job: WireOwner | undefined): Promise<void> {
  if (job === undefined) return;
  try {
    await client.jobs.delete(call, job.name, job.uid);
  } catch (error) {
    if (!isProviderError(error)) throw error;
  }
}

/** The Job by which a pod of ours ends. */
export function endJobOf({ metadata }: WirePod): WireOwner | undefined {
  if (metadata.annotations?.[TERMINATE_BY_ANNOTATION] === undefined) return undefined;
  return metadata.ownerReferences?.find(({ apiVersion, kind }) => apiVersion === KIND.apiVersion && kind === KIND.kind);
}

function secondsUntil(clock: Clock, time: string): number {
  return Math.max(1, Math.ceil((Date.parse(time) - clock.now()) / 1_000) + CUT_SECONDS);
}

function jobBody(name: string, owner: string, image: string, seconds: number): object {
  return {
    ...KIND,
    metadata: { name, labels: ownershipLabels(owner) },
    spec: {
      parallelism: 0,
      activeDeadlineSeconds: seconds,
      ttlSecondsAfterFinished: 0,
      // Never made: a Job has to have one.
      template: { spec: { restartPolicy: "Never", containers: [{ name: "none", image }] } },
    },
  };
}
