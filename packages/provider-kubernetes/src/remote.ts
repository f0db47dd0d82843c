import type { Clock, SpawnOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { KubernetesClient } from "./client.ts";
import type { KubernetesConfig, PodSettings } from "./options.ts";
import type { Profile } from "./profiles.ts";

export const PROVIDER = "kubernetes";
/** An error of this package itself; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

export type KubernetesCapability = "gpu" | "idempotentSpawn" | "persistentVolumes";
export type KubernetesSpawnOptions = SpawnOptions<KubernetesCapability> & {
  /** What only a pod has. */
  readonly pod?: PodSettings | undefined;
};

/** One namespace of one cluster, as the parts of the driver use it. */
export interface KubernetesRemote {
  readonly owner: string;
  readonly clock: Clock;
  readonly client: KubernetesClient;
  readonly profile: Profile;
  readonly config: KubernetesConfig;
}

/** What tells one pod from every other: its name comes again, its uid does not. */
export interface PodAddress {
  /** Undefined in a bare native id. */
  readonly context: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const ID = /^(?:([^/\s]{1,1024})\/)?([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/([A-Za-z0-9-]{1,64})$/;

/** Null for what cannot be an id. */
export function parseId(id: string): PodAddress | null {
  const found = ID.exec(id);
  if (found === null) return null;
  const [, context, namespace = "", name = "", uid = ""] = found;
  try {
    return { context: context === undefined ? undefined : decodeURIComponent(context), namespace, name, uid };
  } catch {
    return null;
  }
}

export function nativeIdOf({ namespace, name, uid }: Omit<PodAddress, "context">): string {
  return `${namespace}/${name}/${uid}`;
}

export function idOf(address: PodAddress & { readonly context: string }): string {
  return `${encodeURIComponent(address.context)}/${nativeIdOf(address)}`;
}

/** Where an id leads. INVALID_SPEC for another cluster or namespace: here nobody can say that it does not exist. */
export async function addressOf(
  { client }: KubernetesRemote,
  call: Call,
  id: string,
): Promise<PodAddress & { readonly context: string }> {
  const { context, namespace } = await client.where(call);
  const address = parseId(id);
  if (address === null) throw refusal("INTERNAL", call.operation, `${id.slice(0, 64)} is no id`);
  if ((address.context ?? context) === context && address.namespace === namespace) return { ...address, context };
  const there = `the context ${address.context ?? context} and the namespace ${address.namespace}`;
  throw refusal("INVALID_SPEC", call.operation, `the id is of ${there}`, {
    hint: `This provider was made for the context ${context} and the namespace ${namespace}.`,
  });
}
