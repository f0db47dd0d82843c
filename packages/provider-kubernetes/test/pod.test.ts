import { type BootstrapScript, checksumOf } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type KubernetesConfig, type KubernetesSpawnOptions, kubernetes } from "../src/index.ts";
import { failure, kubeconfig, writeKubeconfig } from "./world.ts";

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** What a spawn sends to a server that has nothing yet. */
async function sentFor(options: KubernetesSpawnOptions, config: KubernetesConfig = {}): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const answer = (status: number, json: object) =>
    new Response(JSON.stringify(json), { status, headers: { "content-type": "application/json" } });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname: path } = new URL(String(input));
    const method = init?.method ?? "GET";
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    sent.push({ method, path, body });
    if (method === "GET") {
      const kind = path.includes("/secrets/") ? "secrets" : "pods";
      return answer(404, { kind: "Status", reason: "NotFound", message: "not found", details: { kind } });
    }
    const metadata = { namespace: "machines", uid: "uid-1", ...(body["metadata"] as object) };
    return answer(201, { ...body, metadata, status: { phase: "Pending" } });
  };
  const file = await writeKubeconfig(kubeconfig());
  await kubernetes({ owner: "team-a", kubeconfig: file, ...config, runtime: { fetch } }).spawn(options);
  return sent;
}

async function podFor(options: KubernetesSpawnOptions, config?: KubernetesConfig): Promise<Record<string, unknown>> {
  const pod = (await sentFor(options, config)).find(({ path, method }) => method === "POST" && path.endsWith("/pods"));
  return pod?.body ?? {};
}

const wireSecret = z.object({
  immutable: z.literal(true),
  metadata: z.object({ name: z.string(), ownerReferences: z.array(z.unknown()) }),
  data: z.object({ "bootstrap.sh": z.string() }),
});

describe("the pod of a spawn", () => {
  test("is one machine that ends when it ends, and sees nothing of the cluster", async () => {
    const pod = await podFor({ key: "k", image: "debian", resources: { cpus: 0.5, memoryBytes: 1_000 } });
    expect(pod).toMatchObject({
      kind: "Pod",
      metadata: {
        labels: { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/owner": "team-a" },
        annotations: { "slipway.dev/owner": "team-a", "slipway.dev/key": "k" },
      },
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        containers: [
          { name: "main", image: "debian", resources: { requests: { cpu: "500m" }, limits: { memory: "1000" } } },
        ],
      },
    });
    expect(pod["metadata"]).not.toHaveProperty("generateName");
    expect(pod["spec"]).not.toHaveProperty("activeDeadlineSeconds");
  });

  test("selects the machine type and the GPU by the labels of the profile", async () => {
    const pod = await podFor({ key: "k", spec: "g2", gpu: { type: "nvidia-l4", count: 2 } }, { profile: "gke" });
    expect(pod).toMatchObject({
      spec: {
        nodeSelector: { "node.kubernetes.io/instance-type": "g2", "cloud.google.com/gke-accelerator": "nvidia-l4" },
        tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
        containers: [{ resources: { limits: { "nvidia.com/gpu": "2" } } }],
      },
    });
  });

  test("has the config's settings, replaced field by field", async () => {
    const pod = await podFor(
      { key: "k", pod: { schedulerName: "queue", command: ["run", "it"] } },
      { pod: { schedulerName: "default-scheduler", serviceAccountName: "worker", imagePullSecrets: ["registry"] } },
    );
    expect(pod).toMatchObject({
      spec: {
        schedulerName: "queue",
        serviceAccountName: "worker",
        imagePullSecrets: [{ name: "registry" }],
        containers: [{ command: ["run", "it"] }],
      },
    });
  });

  test("a bootstrap is in a Secret of the pod, written after it, and nowhere else", async () => {
    const sent = await sentFor({ key: "k", bootstrap: { script: "echo a-secret-word" }, pod: { command: ["run"] } });
    const [pod, secret] = sent.filter(({ method }) => method === "POST").map(({ body }) => body);
    expect(JSON.stringify(pod)).not.toContain("a-secret-word");
    const { metadata, data } = wireSecret.parse(secret);
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: "v1", kind: "Pod", name: expect.any(String), uid: "uid-1" },
    ]);
    const carried = Buffer.from(data["bootstrap.sh"], "base64").toString();
    expect(carried).toContain(Buffer.from("echo a-secret-word").toString("base64"));
    const secretName = metadata.name;
    expect(pod).toMatchObject({ spec: { volumes: [{ secret: { secretName, defaultMode: 0o500 } }] } });
    expect(pod).toMatchObject({ spec: { containers: [{ command: expect.arrayContaining(["/bin/sh", "run"]) }] } });
  });

  test("settings that no pod has are refused before any call", async () => {
    const pod = { nodeSelector: { a: 1 } } as never;
    expect(await failure(sentFor({ key: "k", pod }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    const content = `#!/bin/sh\n: ${"x".repeat(1_000_001)}`;
    const checksum = checksumOf(content);
    const large: BootstrapScript = { content, format: "shell", checksum, byteLength: content.length };
    expect(await failure(sentFor({ key: "k", bootstrap: large }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
  });
});
