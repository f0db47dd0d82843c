import type { ProviderError } from "@slipway/core";
import { describe, expect, inject, test } from "vitest";
import { clusterFetch } from "../../src/access/cluster-fetch.ts";
import { kubernetesErrorTable } from "../../src/index.ts";
import { failure } from "../world.ts";
import { capture } from "./captured.ts";
import { type ClusterWorld, clusterWorld } from "./world.ts";

type Provoke = (world: ClusterWorld) => Promise<ProviderError>;

const quota = async ({ make }: ClusterWorld, hard: object): Promise<void> => {
  await make("resourcequotas", { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "rq" }, spec: { hard } });
};

/** A world whose providers keep the last answer that was no success. */
async function recordedWorld() {
  const { ca } = inject("cluster");
  const real = clusterFetch(() => ({ ca, cert: undefined, key: undefined, servername: undefined, insecure: false }));
  let last: Response | undefined;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await real(input, init);
    // That there is no such pod yet is no refusal.
    const isAbsent = answer.status === 404 && (init?.method ?? "GET") === "GET";
    if (!answer.ok && !isAbsent) last = answer.clone();
    return answer;
  };
  const world = await clusterWorld();
  const another: ClusterWorld["another"] = (options, token) => world.another({ runtime: { fetch }, ...options }, token);
  const refusal = async () => {
    if (last === undefined) throw new Error("nothing was refused");
    return { status: last.status, contentType: last.headers.get("content-type") ?? "", body: await last.text() };
  };
  return { world: { ...world, another, provider: await another() }, refusal };
}

/** The server learns of what admission has to look at a moment after it is stored. */
async function untilRefused({ provider }: Pick<ClusterWorld, "provider">): Promise<ProviderError> {
  for (const until = performance.now() + 30_000; performance.now() < until; ) {
    const made = await provider.spawn({}).catch((error: unknown) => error);
    if (made instanceof Error) return await failure(Promise.reject(made));
  }
  throw new Error("nothing was refused");
}

/** How each row is met on the real server. */
const PROVOKED: Readonly<Record<string, Provoke>> = {
  unauthorized: async ({ another }) => failure((await another({}, "no-such-token")).spawn({})),
  anonymous: async ({ another }) => failure((await another({}, "")).spawn({})),
  forbidden: async ({ another }) => failure((await another({ namespace: "kube-system" })).spawn({})),
  "namespace-missing": async ({ another }) =>
    failure((await another({ namespace: "no-such-namespace" }, inject("cluster").adminToken)).spawn({})),
  "quota-exceeded": async (world) => {
    await quota(world, { pods: "0" });
    return await untilRefused(world);
  },
  "limit-range": async ({ make, provider }) => {
    const limits = [{ type: "Container", max: { cpu: "10m" } }];
    await make("limitranges", { apiVersion: "v1", kind: "LimitRange", metadata: { name: "lr" }, spec: { limits } });
    return await untilRefused({ provider });
  },
  "pod-security": async ({ admin, namespace, provider }) => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await admin.request("PATCH", `api/v1/namespaces/${namespace}`, { metadata: { labels } });
    return await untilRefused({ provider });
  },
  "named-thing-missing": ({ provider }) => failure(provider.spawn({ pod: { priorityClassName: "nope" } })),
  "namespace-terminating": async ({ admin, make, namespace, provider }) => {
    // What has a finalizer keeps it there.
    await make("configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kept", finalizers: ["a.test/kept"] },
    });
    await admin.request("DELETE", `api/v1/namespaces/${namespace}`);
    return await untilRefused({ provider });
  },
  invalid: ({ provider }) => failure(provider.spawn({ pod: { nodeSelector: { "not a label!": "x" } } })),
  "object-too-large": ({ provider }) =>
    failure(provider.spawn({ pod: { command: Array.from({ length: 16 }, () => "x".repeat(120_000)) } })),
  "too-large": ({ provider }) =>
    failure(provider.spawn({ pod: { command: Array.from({ length: 30 }, () => "x".repeat(120_000)) } })),
  "webhook-failed": async ({ admin, namespace, provider }) => {
    const group = "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    const webhook = {
      ...{ name: "guard.example.test", sideEffects: "None", admissionReviewVersions: ["v1"], failurePolicy: "Fail" },
      clientConfig: { url: "https://127.0.0.1:1/" },
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    };
    const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" };
    await admin.request("POST", group, { ...kind, metadata: { name: namespace }, webhooks: [webhook] });
    return await untilRefused({ provider });
  },
};

describe("the error table on the real server", () => {
  test.each(Object.entries(PROVOKED))("%s", async (id, provoke) => {
    const row = kubernetesErrorTable.find((one) => one.id === id);
    const { world, refusal } = await recordedWorld();
    const error = await provoke(world);
    await capture("errors", id, await refusal());
    expect(error).toMatchObject({ code: row?.code, effect: row?.effect, operation: "spawn" });
    if (row?.says !== undefined) expect(`${error.native?.code} ${error.message}`).toMatch(row.says);
    if (row?.native !== undefined) expect(error.native?.code?.startsWith(row.native)).toBe(true);
    expect([row?.status].flat()).toContain(error.native?.status);
    expect(error.message.split("\n")[0]).not.toBe("");
  });

  test("a full quota does not hide the pod that is there", async () => {
    const world = await clusterWorld();
    const { id } = await world.provider.spawn({ key: "k" });
    await quota(world, { pods: "0" });
    expect((await world.provider.spawn({ key: "k" })).id).toBe(id);
  });
});
