import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nameFor } from "@slipway/core";
import { kubeconfigOf } from "slipway-kubernetes-cluster";
import { describe, expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { failure, writeKubeconfig } from "../world.ts";
import { type ClusterWorld, clusterWorld } from "./world.ts";

const PROGRAM = fileURLToPath(new URL("../../soak/spawn-once.ts", import.meta.url));
const PATIENCE = { timeout: 90_000, interval: 50 };
const NODE = "api/v1/nodes/localhost";

const names = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
const pod = z.object({
  metadata: z.object({ deletionTimestamp: z.string().optional() }),
  status: z.object({ phase: z.string().optional() }),
});

const after = (ms: number): string => new Date(Date.now() + ms).toISOString();

async function jobsOf({ admin, namespace }: ClusterWorld): Promise<readonly string[]> {
  const { json } = await admin.request("GET", `apis/batch/v1/namespaces/${namespace}/jobs`);
  return names.parse(json).items.map(({ metadata }) => metadata.name);
}

/** When the server first says that the pod ends, and when it is gone; it is asked by nobody of ours. */
async function endOf({ admin, namespace }: ClusterWorld, name: string) {
  let endsAt = 0;
  for (const until = Date.now() + PATIENCE.timeout; Date.now() < until; ) {
    const asked = Date.now();
    const { status, json } = await admin.request("GET", `api/v1/namespaces/${namespace}/pods/${name}`);
    if (status === 404) return { endsAt: endsAt === 0 ? asked : endsAt, goneAt: asked };
    const seen = pod.parse(json);
    const ends = seen.metadata.deletionTimestamp !== undefined || seen.status.phase === "Failed";
    if (endsAt === 0 && ends) endsAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the pod ${name} is still there`);
}

describe("terminateBy", () => {
  test("a pod is gone in time and not earlier, though the process that made it was killed", async () => {
    const world = await clusterWorld();
    const cluster = inject("cluster");
    const kubeconfig = await writeKubeconfig(kubeconfigOf(cluster, cluster.tenantToken, world.namespace));
    const at = after(15_000);
    const order = JSON.stringify({ kubeconfig, key: "k", terminateBy: at });
    const child = spawn(process.execPath, ["--conditions=@slipway/source", PROGRAM, order], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close");
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await vi.waitFor(() => expect(said).toContain("spawned"), PATIENCE);
    child.kill("SIGKILL");
    await ended;
    expect(await jobsOf(world)).toHaveLength(1);
    const { endsAt, goneAt } = await endOf(world, nameFor("soak", "k"));
    expect(endsAt).toBeGreaterThanOrEqual(Date.parse(at));
    expect(goneAt - Date.parse(at)).toBeLessThan(world.provider.limits.terminateLateMs ?? 0);
    await vi.waitFor(async () => expect(await jobsOf(world)).toEqual([]), PATIENCE);
  });

  test("a pod that no node has taken is gone in time, and one that a node takes late too", async () => {
    const world = await clusterWorld();
    const label = `tests/${world.namespace}`;
    const at = after(20_000);
    const spawnAt = async (key: string, nodeSelector: Record<string, string>) =>
      await world.provider.spawn({ key, terminateBy: at, pod: { nodeSelector } });
    const never = await spawnAt("never", { "tests/never": "yes" });
    const late = await spawnAt("late", { [label]: "yes" });
    expect(late.terminateBy).toEqual({ at, by: "remote" });
    await new Promise((resolve) => setTimeout(resolve, Date.parse(at) - Date.now() - 6_000));
    await world.admin.request("PATCH", NODE, { metadata: { labels: { [label]: "yes" } } });
    await vi.waitFor(async () => expect((await world.provider.get(late.id))?.status).toBe("running"), PATIENCE);
    const ends = await Promise.all([never, late].map(({ remoteName }) => endOf(world, remoteName ?? "")));
    await world.admin.request("PATCH", NODE, { metadata: { labels: { [label]: null } } });
    for (const { endsAt, goneAt } of ends) {
      expect(endsAt).toBeGreaterThanOrEqual(Date.parse(at));
      expect(goneAt - Date.parse(at)).toBeLessThan(world.provider.limits.terminateLateMs ?? 0);
    }
  });

  test("terminate removes what would have ended the pod, and a refused spawn leaves nothing of it", async () => {
    const world = await clusterWorld();
    const options = { key: "k", terminateBy: after(600_000) };
    const { id } = await world.provider.spawn(options);
    expect((await (await world.another()).spawn(options)).id).toBe(id);
    expect(await jobsOf(world)).toHaveLength(1);
    await world.provider.terminate(id);
    await vi.waitFor(async () => expect(await jobsOf(world)).toEqual([]), PATIENCE);
    const refused = { terminateBy: after(600_000), pod: { priorityClassName: "nope" } };
    expect(await failure(world.provider.spawn(refused))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    await vi.waitFor(async () => expect(await jobsOf(world)).toEqual([]), PATIENCE);
  });

  test("processes that spawn one key at once leave one pod with one end", async () => {
    const world = await clusterWorld();
    const options = { key: "k", terminateBy: after(600_000) };
    const others = await Promise.all(Array.from({ length: 6 }, () => world.another()));
    const made = await Promise.all(others.map((provider) => provider.spawn(options)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await vi.waitFor(async () => expect(await jobsOf(world)).toHaveLength(1), PATIENCE);
    expect((await world.provider.get(made[0]?.id ?? ""))?.status).toMatch(/pending|running/);
  });

  test("a grace that would make it late, and a time that no cluster keeps, are refused", async () => {
    const { provider } = await clusterWorld();
    const terminateBy = after(600_000);
    const long = failure(provider.spawn({ terminateBy, pod: { terminationGracePeriodSeconds: 31 } }));
    expect(await long).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    const far = failure(provider.spawn({ terminateBy: "2126-01-01T00:00:00Z" }));
    expect(await far).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });
});
