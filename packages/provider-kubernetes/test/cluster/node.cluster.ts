import { commandRunner } from "@slipway/provider-kit/command";
import { changedSettings } from "slipway-kubernetes-cluster";
import { describe, expect, inject, test, vi } from "vitest";
import { type ClusterWorld, clusterWorld } from "./world.ts";

const PATIENCE = { timeout: 90_000, interval: 100 };
const GPU = { type: "NVIDIA-H100-80GB-HBM3" };

/** What the kubectl of the same build says of the namespace. */
async function kubectl({ namespace }: ClusterWorld, ...args: readonly string[]) {
  const [program = "", ...always] = inject("cluster").kubectl;
  const run = commandRunner({ defaults: { timeoutMs: 60_000 } });
  return await run(program, [...always, `--namespace=${namespace}`, ...args]);
}

const nameOf = (id: string): string => id.split("/").at(-2) ?? "";

async function running({ provider }: ClusterWorld, id: string): Promise<void> {
  await vi.waitFor(async () => expect(await provider.get(id)).toMatchObject({ status: "running" }), PATIENCE);
}

describe("on a real node", () => {
  test("a bootstrap runs before the command, and kubectl sees its output and gets into the pod", async () => {
    const world = await clusterWorld();
    const command = ["/bin/sh", "-c", "cat /root/made; exec sleep 3600"];
    const { id } = await world.provider.spawn({
      key: "k",
      bootstrap: { script: "sleep 1; echo 41 >/root/made" },
      pod: { command },
    });
    await running(world, id);
    const pod = nameOf(id);
    await vi.waitFor(
      async () => expect((await kubectl(world, "logs", pod)).stdout).toContain("exit code 0\n41\n"),
      PATIENCE,
    );
    await vi.waitFor(
      async () => expect((await kubectl(world, "exec", pod, "--", "cat", "/root/made")).stdout).toBe("41\n"),
      PATIENCE,
    );
    const inside = await kubectl(world, "exec", pod, "--", "sh", "-c", "cat; echo wrong >&2; exit 7");
    expect(inside).toMatchObject({ exitCode: 7, stdout: "" });
    expect(inside.stderr).toContain("wrong");
    expect((await world.provider.get(id))?.addresses?.privateIpv4).toMatch(/^10\.88\./);
    await world.provider.terminate(id);
    expect((await kubectl(world, "wait", "--for=delete", `pod/${pod}`, "--timeout=60s")).exitCode).toBe(0);
    expect(await world.provider.get(id)).toBeNull();
    // The garbage collector removes the Secret that the pod has owned.
    await vi.waitFor(
      async () => expect((await kubectl(world, "get", "secrets", "-o", "name")).stdout).toBe(""),
      PATIENCE,
    );
  });

  test("kubectl gets, describes and deletes what was made, and shows no script", async () => {
    const world = await clusterWorld();
    const { id } = await world.provider.spawn({ key: "k", bootstrap: { script: "echo a-secret-word" } });
    const pod = nameOf(id);
    const selector = ["--selector=slipway.dev/owner=tests", "-o", "name"];
    expect((await kubectl(world, "get", "pods", ...selector)).stdout).toBe(`pod/${pod}\n`);
    expect((await kubectl(world, "wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s")).exitCode).toBe(0);
    await running(world, id);
    const described = (await kubectl(world, "describe", "pod", pod)).stdout;
    expect(described).toMatch(/slipway\.dev\/key: +k\n/);
    expect(described).toMatch(/Status: +Running/);
    expect(described).not.toContain("a-secret-word");
    const all = (await kubectl(world, "get", "pod", pod, "-o", "yaml")).stdout;
    expect(all).not.toContain("a-secret-word");
    expect((await kubectl(world, "delete", "pod", pod)).exitCode).toBe(0);
    expect(await world.provider.get(id)).toBeNull();
    expect(await world.provider.list()).toEqual([]);
  });

  test("GPUs are given to pods, and a pod that wants more than are left waits", async () => {
    const world = await clusterWorld();
    const both = await world.provider.spawn({ key: "both", gpu: { ...GPU, count: 2 } });
    await running(world, both.id);
    const variables = await kubectl(world, "exec", nameOf(both.id), "--", "sh", "-c", "echo $VISIBLE_DEVICES");
    expect(variables.stdout.trim().split(",").toSorted()).toEqual(["GPU-0", "GPU-1"]);
    const one = await world.provider.spawn({ key: "one", gpu: { ...GPU, count: 1 } });
    await vi.waitFor(
      async () =>
        expect(await world.provider.get(one.id)).toMatchObject({
          status: "pending",
          statusReason: { code: "Unschedulable", message: expect.stringContaining("Insufficient nvidia.com/gpu") },
        }),
      PATIENCE,
    );
    await world.provider.terminate(both.id);
    await running(world, one.id);
    await world.provider.terminate(one.id);
  });

  test("a program that is too large for its limit is told as such", async () => {
    const world = await clusterWorld();
    // tail keeps what it reads while no line ends.
    const command = ["/bin/sh", "-c", "exec tail /dev/zero"];
    const { id } = await world.provider.spawn({ key: "k", pod: { command } });
    await vi.waitFor(
      async () =>
        expect(await world.provider.get(id)).toMatchObject({
          status: "terminated",
          statusReason: { code: "OOMKilled", message: "the container ended with exit code 137" },
        }),
      PATIENCE,
    );
  });

  test("a pod that kubectl has made under our name is CONFLICT, and is left alone", async () => {
    const world = await clusterWorld();
    const name = nameOf((await world.provider.spawn({ key: "k" })).id);
    expect((await kubectl(world, "delete", "pod", name, "--grace-period=1")).exitCode).toBe(0);
    const image = "--image=registry.test/machine:1";
    expect((await kubectl(world, "run", name, image, "--", "sleep", "3600")).exitCode).toBe(0);
    await expect(world.provider.spawn({ key: "k" })).rejects.toMatchObject({ code: "CONFLICT", effect: "none" });
    expect((await kubectl(world, "get", "pod", name, "-o", "name")).stdout).toBe(`pod/${name}\n`);
    expect(await world.provider.list({ owner: "*" })).toEqual([]);
  });

  test("no setting of the kernel has changed", () => {
    expect(changedSettings(inject("settingsBefore"))).toEqual([]);
  });
});
