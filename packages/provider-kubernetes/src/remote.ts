import { type Clock, isProviderError, ProviderError, type SpawnOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { Refusal } from "@slipway/provider-kit/errors";
import type { KubernetesClient } from "./client.ts";
import type { KubernetesConfig, PodSettings } from "./options.ts";
import type { Profile } from "./profiles.ts";

export type KubernetesCapability = "gpu" | "multiRegion" | "persistentVolumes" | "terminateBy";
export type KubernetesSpawnOptions = SpawnOptions<KubernetesCapability> & {
  /** What only a pod has. */
  readonly pod?: PodSettings | undefined;
};

/** One namespace in each of the configured contexts, as the parts of the driver use them. */
export interface KubernetesRemote {
  readonly owner: string;
  /** One for each context; a spawn without a region goes to the first. */
  readonly clients: readonly KubernetesClient[];
  readonly profile: Profile;
  readonly config: KubernetesConfig;
  readonly clock: Clock;
  /** An error of this package itself; nothing was done unless it says so. */
  readonly refuse: Refusal;
}

/** What distinguishes one pod or claim from every other: its name may be used again, its uid is not. */
interface Address {
  /** Undefined in a bare native id. */
  readonly context: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Where an id leads. */
export interface Place {
  readonly client: KubernetesClient;
  readonly context: string;
  readonly name: string;
  readonly uid: string;
}

const ID = /^(?:([^/\s]{1,1024})\/)?([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/([A-Za-z0-9-]{1,64})$/;

/** Null for what cannot be an id. */
export function parseId(id: string): Address | null {
  const found = ID.exec(id);
  if (found === null) return null;
  const [, context, namespace = "", name = "", uid = ""] = found;
  try {
    return { context: context === undefined ? undefined : decodeURIComponent(context), namespace, name, uid };
  } catch {
    return null;
  }
}

export function nativeIdOf({ namespace, name, uid }: Omit<Address, "context">): string {
  return `${namespace}/${name}/${uid}`;
}

export function idOf(context: string, metadata: Omit<Address, "context">): string {
  return `${encodeURIComponent(context)}/${nativeIdOf(metadata)}`;
}

/** The cluster of a region, or the first one. INVALID_SPEC for a region that is none of the configured contexts. */
export async function clientOf(
  { clients, refuse }: KubernetesRemote,
  call: Call,
  region: string | undefined,
): Promise<KubernetesClient> {
  const known: string[] = [];
  for (const client of clients) {
    if (region === undefined) return client;
    const { context } = await client.where(call);
    if (context === region) return client;
    known.push(context);
  }
  throw refuse("INVALID_SPEC", call.operation, `region ${JSON.stringify(region)} is not configured`, {
    hint: `A region is a context of the kubeconfig; this provider was made with ${known.join(", ")}.`,
  });
}

/**
 * Where an id may lead: to one cluster, or as a bare native id to each with that namespace. INVALID_SPEC for a cluster or
 * namespace that was not configured: whether it exists there is not known here.
 */
export async function placesOf(
  { clients, refuse }: KubernetesRemote,
  call: Call,
  id: string,
): Promise<readonly Place[]> {
  const address = parseId(id);
  if (address === null) throw refuse("INTERNAL", call.operation, `${id.slice(0, 64)} is no id`);
  const { name, uid } = address;
  const configured = await Promise.all(clients.map(async (client) => ({ client, ...(await client.where(call)) })));
  const places = configured
    .filter(({ context, namespace }) => (address.context ?? context) === context && address.namespace === namespace)
    .map(({ client, context }) => ({ client, context, name, uid }));
  if (places.length > 0) return places;
  const there = `the context ${address.context ?? "of any name"} and the namespace ${address.namespace}`;
  const here = configured.map(({ context, namespace }) => `${context} (namespace ${namespace})`);
  throw refuse("INVALID_SPEC", call.operation, `the id is of ${there}`, {
    hint: `This provider was made for ${here.join(", ")}.`,
  });
}

/** Reads clusters one after the other, each with its context. A failure of one is of its region alone. */
export async function* inEach<T>(
  clients: readonly KubernetesClient[],
  call: Call,
  read: (client: KubernetesClient, context: string) => Promise<T>,
): AsyncGenerator<T> {
  for (const client of clients) {
    try {
      yield await read(client, (await client.where(call)).context);
    } catch (error) {
      // What is wrong with the request is wrong everywhere.
      if (!isProviderError(error) || error.scope === "request") throw error;
      const { code, message, provider, operation, effect, native, hint, retryAfterMs, cause } = error;
      const details = { message, provider, operation, effect, native, hint, retryAfterMs, cause };
      throw new ProviderError(code, { ...details, scope: "region" });
    }
  }
}
