import { nameFor } from "@slipway/core";
import { describe, expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { failure } from "../world.ts";
import { type ClusterWorld, clusterWorld } from "./world.ts";

const secretList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        ownerReferences: z.array(z.object({ kind: z.string(), name: z.string(), uid: z.string() })),
      }),
    }),
  ),
});
const podList = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

async function secretsOf({ admin, namespace }: ClusterWorld) {
  return secretList.parse((await admin.request("GET", `api/v1/namespaces/${namespace}/secrets`)).json).items;
}

const PATIENCE = { timeout: 60_000, interval: 100 };

describe("on the real server", () => {
  test("eight providers spawn one key at once: one pod, one Secret", async () => {
    const world = await clusterWorld();
    const providers = await Promise.all(Array.from({ length: 8 }, () => world.another()));
    const options = { key: "same", bootstrap: { script: "true" } };
    const made = await Promise.all(providers.map((provider) => provider.spawn(options)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const pods = await world.admin.request("GET", `api/v1/namespaces/${world.namespace}/pods`);
    expect(podList.parse(pods.json).items).toHaveLength(1);
    const secrets = await secretsOf(world);
    expect(secrets.map(({ metadata }) => metadata.ownerReferences)).toEqual([
      [expect.objectContaining({ kind: "Pod", name: nameFor("tests", "same"), uid: made[0]?.id.split("/").at(-1) })],
    ]);
  });

  test("a pod whose Secret was never written waits for it, and the next spawn writes it", async () => {
    const world = await clusterWorld();
    const options = { key: "cut", bootstrap: { script: "true" } };
    const { id } = await world.provider.spawn(options);
    const [secret] = await secretsOf(world);
    // As if the process had been killed between the two: the pod is made again by hand, without a Secret.
    const path = `api/v1/namespaces/${world.namespace}`;
    const pod = z.looseObject({ metadata: z.looseObject({}), spec: z.looseObject({}) });
    const { metadata, spec } = pod.parse(
      (await world.admin.request("GET", `${path}/pods/${id.split("/").at(-2)}`)).json,
    );
    await world.provider.terminate(id);
    await vi.waitFor(async () => expect(await world.provider.get(id)).toBeNull(), { timeout: 20_000 });
    await world.admin.request("DELETE", `${path}/secrets/${secret?.metadata.name}`);
    const { name, labels, annotations } = metadata;
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels, annotations },
      spec: { ...spec, nodeName: undefined },
    };
    await world.make("pods", body);
    const found = await (await world.another()).spawn(options);
    expect(found).toMatchObject({ key: "cut" });
    expect(found.id).not.toBe(id);
    expect((await secretsOf(world)).map((one) => one.metadata.name)).toEqual([secret?.metadata.name]);
    await vi.waitFor(async () => expect((await world.provider.get(found.id))?.status).toBe("running"), {
      timeout: 20_000,
    });
  });

  test("terminate with an id of an earlier pod leaves the newer one of that name", async () => {
    const { provider } = await clusterWorld();
    const first = await provider.spawn({ key: "k" });
    await provider.terminate(first.id);
    await vi.waitFor(async () => expect(await provider.get(first.id)).toBeNull(), { timeout: 20_000 });
    const second = await provider.spawn({ key: "k" });
    expect(second.remoteName).toBe(first.remoteName);
    expect(await provider.get(first.id)).toBeNull();
    await provider.terminate(first.id);
    expect((await provider.get(second.id))?.status).not.toBe("terminating");
  });

  test("a listing of 1,010 pods is whole, in pages of one snapshot", async () => {
    const world = await clusterWorld();
    const labels = { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/owner": "tests" };
    const path = `api/v1/namespaces/${world.namespace}/pods`;
    await Promise.all(
      Array.from({ length: 1_010 }, (_, at) => {
        const annotations = {
          "slipway.dev/owner": "tests",
          "slipway.dev/key": `k-${at}`,
          "slipway.dev/spec-hash": "h",
        };
        const spec = { containers: [{ name: "main", image: "x" }], schedulerName: "nobody" };
        const metadata = { name: `pod-${at}`, labels, annotations };
        return world.admin.request("POST", path, { apiVersion: "v1", kind: "Pod", metadata, spec });
      }),
    );
    const [listed] = await Promise.all([
      world.provider.list(),
      ...Array.from({ length: 20 }, (_, at) => world.provider.spawn({ key: `new-${at}` })),
    ]);
    const keys = new Set(listed.map(({ key }) => key));
    expect(Array.from({ length: 1_010 }, (_, at) => `k-${at}`).filter((key) => !keys.has(key))).toEqual([]);
    expect(listed).toHaveLength(keys.size);
  });

  test("a namespace that does not exist is an error, never an empty list", async () => {
    const { another } = await clusterWorld();
    const provider = await another({ namespace: "no-such-namespace" }, inject("cluster").adminToken);
    expect(await failure(provider.list())).toMatchObject({ code: "NOT_FOUND", operation: "list" });
  });

  test("a repeated spawn, and one that finds its pod finished, are what the server holds", async () => {
    const { provider } = await clusterWorld();
    const options = { key: "k", pod: { command: ["/bin/sh", "-c", "exit 3"] } };
    const { id } = await provider.spawn(options);
    await vi.waitFor(async () => expect(await provider.get(id)).toMatchObject({ status: "terminated" }), PATIENCE);
    expect(await provider.get(id)).toMatchObject({
      status: "terminated",
      statusReason: { code: "Error", message: "the container ended with exit code 3" },
    });
    expect(await provider.list()).toEqual([]);
    const again = await provider.spawn(options);
    expect(again.id).not.toBe(id);
    expect(await provider.get(id)).toBeNull();
  });
});
