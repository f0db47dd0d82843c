import { isProviderError, type Runtime } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { HttpCall } from "@slipway/provider-kit/http";
import type * as z from "zod/mini";
import { type ClientUser, type ClusterSocket, type Connection, connectionTo, refusalOf } from "./access/connection.ts";
import { accessFrom, type ClusterAccess, type WantedAccess } from "./access/kubeconfig.ts";
import { OTHER_UID } from "./errors.ts";
import {
  accessReviewAnswer,
  claimAnswer,
  namedAnswer,
  nodeAnswer,
  objectAnswer,
  pageOf,
  podAnswer,
  type WireClaim,
  type WireNamed,
  type WireNode,
  type WireObject,
  type WirePod,
} from "./wire.ts";

/** One thing that a call of this provider does to the cluster. */
export interface Permission {
  readonly verb: string;
  readonly resource: string;
  /** The core group if absent. */
  readonly group?: string;
}

export type StreamQuery = readonly (readonly [name: string, value: string])[];

/** All objects of one kind in the namespace. */
export interface Collection<T> {
  /** One snapshot, of all objects without a selector. A namespace that does not exist throws, though the server lists it as empty. */
  readonly list: (call: Call, selector?: string) => Promise<readonly T[]>;
  /** Null only if the server says that there is none. */
  readonly get: (call: Call, name: string) => Promise<T | null>;
  /** `secrets`: texts in the body that must not show anywhere. */
  readonly create: (call: Call, body: object, secrets?: readonly string[]) => Promise<T>;
  /** Of exactly this generation; false if it is gone already. */
  readonly delete: (call: Call, name: string, uid: string) => Promise<boolean>;
}

/** The only thing that speaks to the API server. Nothing is read or sent before the first call. */
export interface KubernetesClient {
  /** Which context and namespace it is. */
  readonly where: (call: Call) => Promise<Pick<ClusterAccess, "context" | "namespace">>;
  readonly pods: Collection<WirePod>;
  readonly claims: Collection<WireClaim>;
  readonly secrets: Pick<Collection<WireObject>, "get" | "create">;
  readonly jobs: Pick<Collection<WireNamed>, "create" | "delete">;
  /** Null where there is none, and where this user may not read nodes. */
  readonly node: (call: Call, name: string) => Promise<WireNode | null>;
  readonly namespace: (call: Call) => Promise<WireObject>;
  /** What the main container printed; follows it with `follow`. */
  readonly log: (call: Call, name: string, query: StreamQuery) => Promise<ReadableStream<Uint8Array>>;
  /** A socket to something of a running pod: its `exec` or its `portforward`. */
  readonly attach: (
    call: Call,
    name: string,
    what: "exec" | "portforward",
    query: StreamQuery,
    protocols: readonly string[],
  ) => Promise<ClusterSocket>;
  readonly isAllowed: (call: Call, permission: Permission) => Promise<boolean>;
}

const PAGE_SIZE = "500";
const MOST_RESTARTS = 5;

export function kubernetesClient(
  wanted: WantedAccess,
  user: ClientUser,
  runtime: Partial<Runtime> | undefined,
): KubernetesClient {
  let mayReadNodes = true;
  let connecting: Promise<Connection> | undefined;
  const connection = async ({ operation }: Call): Promise<Connection> => {
    connecting ??= accessFrom(wanted, refusalOf(user, operation)).then((access) => connectionTo(access, user, runtime));
    try {
      return await connecting;
    } catch (error) {
      // The file may be there next time.
      connecting = undefined;
      throw error;
    }
  };
  const send = async <T>(call: Call, request: Omit<HttpCall<T>, "operation" | "signal">): Promise<T> =>
    await (await connection(call)).call({ ...request, ...call });
  const space = async (call: Call, group = "api/v1"): Promise<string> =>
    `${group}/namespaces/${encodeURIComponent((await connection(call)).access.namespace)}`;
  const one = async (call: Call, kind: string, name: string, group?: string): Promise<string> =>
    `${await space(call, group)}/${kind}/${encodeURIComponent(name)}`;
  const namespace: KubernetesClient["namespace"] = async (call) =>
    await send(call, { method: "GET", path: await space(call), answer: objectAnswer });

  function collection<T>(kind: string, answer: z.ZodMiniType<T>, group?: string): Collection<T> {
    const page = pageOf(answer);
    return {
      list: async (call, labelSelector) => {
        const path = `${await space(call, group)}/${kind}`;
        let found: T[] = [];
        let token: string | undefined;
        for (let restarts = 0; ; ) {
          try {
            const query = { labelSelector, limit: PAGE_SIZE, continue: token };
            const { metadata, items } = await send(call, { method: "GET", path, query, answer: page });
            found.push(...(items ?? []));
            token = metadata?.continue || undefined;
            if (token === undefined) break;
          } catch (error) {
            // The snapshot is gone: the rest that the server offers would be of another one. Begin again, without its pages.
            if (!isExpired(error) || ++restarts > MOST_RESTARTS) throw error;
            [found, token] = [[], undefined];
          }
        }
        if (found.length === 0) await namespace(call);
        return found;
      },
      get: async (call, name) =>
        await unlessGone(async () => send(call, { method: "GET", path: await one(call, kind, name, group), answer })),
      create: async (call, body, secrets) => {
        const path = `${await space(call, group)}/${kind}`;
        return await send(call, { method: "POST", path, query: STRICT, body, answer, secrets });
      },
      delete: async (call, name, uid) => {
        const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
        const path = await one(call, kind, name, group);
        return (await unlessGone(() => send(call, { method: "DELETE", path, body, answer: objectAnswer }))) !== null;
      },
    };
  }

  return {
    namespace,
    where: async (call) => (await connection(call)).access,
    pods: collection("pods", podAnswer),
    claims: collection("persistentvolumeclaims", claimAnswer),
    secrets: collection("secrets", objectAnswer),
    jobs: collection("jobs", namedAnswer, "apis/batch/v1"),
    node: async (call, name) => {
      if (!mayReadNodes) return null;
      const path = `api/v1/nodes/${encodeURIComponent(name)}`;
      try {
        return await unlessGone(() => send(call, { method: "GET", path, answer: nodeAnswer }));
      } catch (error) {
        // A right for the whole cluster, which the README calls optional.
        if (!isProviderError(error, "AUTH_ERROR") || error.native?.status !== 403) throw error;
        mayReadNodes = false;
        return null;
      }
    },
    log: async (call, name, query) =>
      await (await connection(call)).stream({ ...call, path: `${await one(call, "pods", name)}/log`, query }),
    attach: async (call, name, what, query, protocols) => {
      const path = `${await one(call, "pods", name)}/${what}`;
      return await (await connection(call)).socket({ ...call, path, query }, protocols);
    },
    isAllowed: async (call, { verb, resource: named, group }) => {
      const [resource, subresource] = named.split("/");
      const { namespace: name } = (await connection(call)).access;
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace: name, verb, group, resource, subresource } },
      };
      const path = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const review = { method: "POST", path, query: STRICT, body, answer: accessReviewAnswer, writes: false } as const;
      return (await send(call, review)).status.allowed;
    },
  };
}

// An unknown field is an error, where the server would drop it in silence.
const STRICT = { fieldValidation: "Strict" } as const;

async function unlessGone<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
}

/** The server's own words that the thing, or this generation of it, is not there. A 404 of a proxy says nothing of it. */
function isNotThere(error: unknown): boolean {
  if (!isProviderError(error)) return false;
  const { status, code = "" } = error.native ?? {};
  if (status === 404) return /^NotFound\/(pods|secrets|persistentvolumeclaims|jobs|nodes)$/.test(code);
  return status === 409 && error.message.includes(OTHER_UID);
}

function isExpired(error: unknown): boolean {
  return isProviderError(error) && error.native?.status === 410;
}
