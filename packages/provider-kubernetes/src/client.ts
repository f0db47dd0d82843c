import { checksumOf, isProviderError, type Pacing, type Runtime, runtimeDefaults, type Schema } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type HttpCall, type HttpClient, httpClient } from "@slipway/provider-kit/http";
import { limits } from "@slipway/provider-kit/limits";
import { clusterFetch } from "./cluster-fetch.ts";
import { type Credential, credentialsOf } from "./credentials.ts";
import { meaningOf, OTHER_UID } from "./errors.ts";
import { accessFrom, type ClusterAccess, type WantedAccess } from "./kubeconfig.ts";
import { PROVIDER } from "./remote.ts";
import {
  accessReviewAnswer,
  claimAnswer,
  claimPageAnswer,
  objectAnswer,
  type PodBody,
  podAnswer,
  podPageAnswer,
  type WireClaim,
  type WireObject,
  type WirePage,
  type WirePod,
} from "./wire.ts";

/** One thing that a call of this provider does to the cluster. */
export interface Permission {
  readonly verb: string;
  readonly resource: string;
}

/** The only thing that speaks to the API server. Nothing is read or sent before the first call. */
export interface KubernetesClient {
  /** Which context and namespace it is. */
  readonly where: (call: Call) => Promise<Pick<ClusterAccess, "context" | "namespace">>;
  /**
   * All pages of one snapshot, of all pods without a selector. A namespace that does not exist throws, though the server
   * lists it as empty.
   */
  readonly pods: (call: Call, selector?: string) => AsyncIterable<readonly WirePod[]>;
  /** Null only if the server says that there is none. */
  readonly pod: (call: Call, name: string) => Promise<WirePod | null>;
  readonly createPod: (call: Call, body: PodBody) => Promise<WirePod>;
  /** Of exactly this generation; false if it is gone already. */
  readonly deletePod: (call: Call, name: string, uid: string) => Promise<boolean>;
  readonly hasSecret: (call: Call, name: string) => Promise<boolean>;
  readonly createSecret: (call: Call, body: object, secrets: readonly string[]) => Promise<WireObject>;
  readonly claims: (call: Call) => AsyncIterable<readonly WireClaim[]>;
  readonly claim: (call: Call, name: string) => Promise<WireClaim | null>;
  readonly createClaim: (call: Call, body: object) => Promise<WireClaim>;
  readonly deleteClaim: (call: Call, name: string, uid: string) => Promise<boolean>;
  readonly namespace: (call: Call) => Promise<WireObject>;
  readonly isAllowed: (call: Call, permission: Permission) => Promise<boolean>;
}

interface Connection {
  readonly access: ClusterAccess;
  readonly call: <T>(call: HttpCall<T>) => Promise<T>;
}

const PAGE_SIZE = "500";
const MOST_RESTARTS = 5;
const CLAIMS = "persistentvolumeclaims";

export function kubernetesClient(wanted: WantedAccess, runtime: Partial<Runtime> | undefined): KubernetesClient {
  let connecting: Promise<Connection> | undefined;
  const connection = async ({ operation }: Call): Promise<Connection> => {
    connecting ??= accessFrom(wanted, operation).then((access) => connectionTo(access, runtime));
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
  const space = async (call: Call): Promise<string> =>
    `api/v1/namespaces/${encodeURIComponent((await connection(call)).access.namespace)}`;
  const one = async (call: Call, collection: string, name: string): Promise<string> =>
    `${await space(call)}/${collection}/${encodeURIComponent(name)}`;
  const namespace: KubernetesClient["namespace"] = async (call) =>
    await send(call, { method: "GET", path: await space(call), answer: objectAnswer });

  async function* pages<T>(
    call: Call,
    collection: string,
    answer: Schema<WirePage<T>>,
    labelSelector?: string,
  ): AsyncGenerator<readonly T[]> {
    const path = `${await space(call)}/${collection}`;
    let token: string | undefined;
    let isEmpty = true;
    for (let restarts = 0; ; ) {
      try {
        const query = { labelSelector, limit: PAGE_SIZE, continue: token };
        const { metadata, items } = await send<WirePage<T>>(call, { method: "GET", path, query, answer });
        isEmpty &&= (items ?? []).length === 0;
        yield items ?? [];
        token = metadata?.continue || undefined;
        if (token === undefined) break;
      } catch (error) {
        // The snapshot is gone: the rest that the server offers would be of another one. Begin again.
        if (!isExpired(error) || ++restarts > MOST_RESTARTS) throw error;
        token = undefined;
      }
    }
    if (isEmpty) await namespace(call);
  }

  /** Of exactly this generation; false if it is gone already. */
  const remove = async (call: Call, collection: string, name: string, uid: string): Promise<boolean> => {
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
    const path = await one(call, collection, name);
    return (await unlessGone(() => send(call, { method: "DELETE", path, body, answer: objectAnswer }))) !== null;
  };

  return {
    namespace,
    where: async (call) => (await connection(call)).access,
    pods: (call, selector) => pages(call, "pods", podPageAnswer, selector),
    pod: async (call, name) =>
      await unlessGone(async () =>
        send(call, { method: "GET", path: await one(call, "pods", name), answer: podAnswer }),
      ),
    createPod: async (call, body) =>
      await send(call, { method: "POST", path: `${await space(call)}/pods`, query: STRICT, body, answer: podAnswer }),
    deletePod: (call, name, uid) => remove(call, "pods", name, uid),
    claims: (call) => pages(call, CLAIMS, claimPageAnswer),
    claim: async (call, name) =>
      await unlessGone(async () =>
        send(call, { method: "GET", path: await one(call, CLAIMS, name), answer: claimAnswer }),
      ),
    createClaim: async (call, body) =>
      await send(call, {
        method: "POST",
        path: `${await space(call)}/${CLAIMS}`,
        query: STRICT,
        body,
        answer: claimAnswer,
      }),
    deleteClaim: (call, name, uid) => remove(call, CLAIMS, name, uid),
    hasSecret: async (call, name) =>
      (await unlessGone(async () =>
        send(call, { method: "GET", path: await one(call, "secrets", name), answer: objectAnswer }),
      )) !== null,
    createSecret: async (call, body, secrets) =>
      await send(call, {
        method: "POST",
        path: `${await space(call)}/secrets`,
        query: STRICT,
        body,
        answer: objectAnswer,
        secrets,
      }),
    isAllowed: async (call, { verb, resource: named }) => {
      const [resource, subresource] = named.split("/");
      const { namespace: name } = (await connection(call)).access;
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace: name, verb, resource, subresource } },
      };
      const path = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const review = { method: "POST", path, body, answer: accessReviewAnswer, writes: false } as const;
      return (await send(call, review)).status.allowed;
    },
  };
}

// An unknown field is an error, where the server would drop it in silence.
const STRICT = { fieldValidation: "Strict" } as const;

function connectionTo(access: ClusterAccess, runtime: Partial<Runtime> | undefined): Connection {
  const { clock, onEvent } = runtimeDefaults(runtime);
  const credentials = credentialsOf(access, { clock, exec: runtime?.exec });
  let current: Credential = { token: undefined };
  const tls = () => ({ ...access.tls, cert: current.cert ?? access.tls.cert, key: current.key ?? access.tls.key });
  const http: HttpClient = httpClient({
    provider: PROVIDER,
    baseUrl: access.server.endsWith("/") ? access.server : `${access.server}/`,
    account: checksumOf(`${access.server} ${access.namespace}`).slice(7, 19),
    credentials: (): Record<string, string> =>
      current.token === undefined ? {} : { authorization: `Bearer ${current.token}` },
    secrets: () => [current.token, current.key].filter((each) => each !== undefined),
    userAgent: "slipway-provider-kubernetes/0.1",
    meaningOf,
    runtime: { ...runtime, fetch: runtime?.fetch ?? clusterFetch(tls) },
    limits: runtime?.limits ?? ownLimits(clock, onEvent),
    maxAnswerBytes: 64 * 1024 * 1024,
  });
  return {
    access,
    call: async (call) => {
      current = await credentials.current(call.operation);
      try {
        return await http.call(call);
      } catch (error) {
        const isRefused = isProviderError(error, "AUTH_ERROR") && error.native?.status === 401;
        if (!isRefused || !credentials.mayChange) throw error;
        current = await credentials.current(call.operation, true);
        return await http.call(call);
      }
    },
  };
}

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
  if (status === 404) return /^NotFound\/(pods|secrets|persistentvolumeclaims)$/.test(code);
  return status === 409 && error.message.includes(OTHER_UID);
}

function isExpired(error: unknown): boolean {
  return isProviderError(error) && error.native?.status === 410;
}

/** The server protects itself; this only keeps one client from taking all of a small one. */
function ownLimits(clock: Runtime["clock"], onEvent: Runtime["onEvent"]): Pacing {
  const buckets = [{ operation: "*", capacity: 200, refillPerSecond: 100 }];
  return limits({ clock, onEvent, provider: PROVIDER, buckets });
}
