import { HEARTBEAT_TASKS, isProviderError, nameFor, ProviderRegistry } from "@slipway/core";
import { configSchema, memory, memoryCluster, memoryWorld, register } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

async function linesOf(logs: AsyncIterable<string>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of logs) lines.push(line);
  return lines;
}

const env = (variables: Record<string, string> = {}) => ({ owner: "ci", variables });

describe("register", () => {
  test("takes a world that is there, or makes one; the key may come from the environment", async () => {
    const world = memoryWorld({ apiKeys: ["right"] });
    const { provider, hooks } = await register({ world }, env({ SLIPWAY_MEMORY_API_KEY: "right" }));
    await hooks.onStartup();
    await provider.spawn({ key: "k" });
    expect(await memory({ owner: "ci", world, apiKey: "right" }).list()).toHaveLength(1);
    const own = await register({ bootMs: 1, readAfterWriteMs: 9 }, env());
    expect(own.provider.limits.readAfterWriteMs).toBe(9);
    expect((await register(undefined, env())).provider.name).toBe("memory");
  });

  test.each([[{ regionz: [] }], [{ regions: [] }], [{ world: {} }], [{ bootMs: -1 }], ["memory"], [7]])(
    "%j is INVALID_SPEC",
    async (config) => {
      expect(await thrown(register(config, env()))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
      expect(configSchema.safeParse(config).success).toBe(false);
    },
  );

  test("a wrong key is AUTH_ERROR at start-up, a wrong region INVALID_SPEC, and the key shows nowhere", async () => {
    const world = memoryWorld({ apiKeys: ["right"] });
    const wrong = await register({ world, apiKey: "wr0ng" }, env());
    const error = await thrown(wrong.hooks.onStartup());
    expect(error).toMatchObject({ code: "AUTH_ERROR", operation: "onStartup" });
    expect(error.hint).toContain("apiKey");
    expect(JSON.stringify(error)).not.toContain("wr0ng");
    const lost = await register({ world, apiKey: "right", regions: ["mars-1"] }, env());
    expect(await thrown(lost.hooks.onStartup())).toMatchObject({ code: "INVALID_SPEC" });
  });
});

describe("the heartbeat", () => {
  test("answers every task in order, and deletes nothing", async () => {
    const world = memoryWorld();
    const { provider, hooks } = await register({ world }, env());
    await provider.spawn({ key: "a", expiresAt: "2026-01-01T00:00:01Z" });
    await memory({ owner: "neighbour", world }).spawn({});
    await world.clock.sleep(30_000);
    const deadline = new Date(world.clock.now() + 5_000).toISOString();
    const before = world.changes;
    const { receipts } = await hooks.onHeartbeat({ tasks: [...HEARTBEAT_TASKS].reverse(), deadline });
    expect(receipts.map(({ task }) => task)).toEqual([...HEARTBEAT_TASKS].reverse());
    const details = Object.fromEntries(receipts.map((each) => [each.task, each.ok ? each.details : each.error.code]));
    expect(details).toMatchObject({ orphan_scan: { ours: 1, others: 1, expired: 1 }, reconcile: { running: 1 } });
    expect(world.changes).toBe(before);
  });

  test("a task that fails, or is not done in time, does not fail the others", async () => {
    const world = memoryWorld();
    const { hooks } = await register({ world }, env());
    world.faults.add({ operation: "catalogue.read", when: "before", code: "RATE_LIMIT_ERROR" });
    world.faults.add({ operation: "account.read", when: "delayed", delayMs: 60_000 });
    const begun = world.clock.now();
    const deadline = new Date(begun + 5_000).toISOString();
    const { receipts } = await hooks.onHeartbeat({ tasks: HEARTBEAT_TASKS, deadline });
    const told = receipts.map((receipt) => (receipt.ok ? "ok" : `${receipt.error.code} ${receipt.error.effect}`));
    expect(told).toEqual(["TIMEOUT none", "ok", "ok", "RATE_LIMIT_ERROR none"]);
    expect(world.clock.now() - begun).toBeLessThanOrEqual(5_000);
    const late = await hooks.onHeartbeat({ tasks: ["reconcile"], deadline: "2025-01-01T00:00:00Z" });
    expect(late.receipts).toMatchObject([{ ok: false, error: { code: "TIMEOUT" } }]);
  });
});

test("in a registry it is exact by its name, and projected from data", async () => {
  const registry = new ProviderRegistry({ memory: await register({}, env()) });
  const instance = await registry.get("memory").spawn({ key: "k", network: { id: "n" } });
  expect(instance.remoteName).toBe(nameFor("ci", "k"));
  const projected = await registry.lookup("memory")?.get(instance.id);
  expect(projected?.id).toBe(instance.id);
  expect(projected).not.toHaveProperty("remoteName");
  await registry.registration("memory").hooks.onShutdown();
  expect(await registry.get("memory").list()).toHaveLength(1);
});

describe("bootstraps", () => {
  test("go through their states, fail by their last exit line, and the console tells", async () => {
    const world = memoryWorld();
    const provider = memory({ owner: "ci", world });
    const good = await provider.spawn({ bootstrap: { script: "exit 3\nexit 0" } });
    const bad = await provider.spawn({ bootstrap: { script: "echo 'exit 1'\n  exit 7  \n" } });
    const none = await provider.spawn({});
    const states = async () =>
      Promise.all([good, bad, none].map(async ({ id }) => (await provider.get(id))?.bootstrap?.state));
    expect(await states()).toEqual(["pending", "pending", undefined]);
    await world.clock.sleep(21_000);
    expect(await states()).toEqual(["running", "running", undefined]);
    await world.clock.sleep(10_000);
    expect(await states()).toEqual(["succeeded", "failed", undefined]);
    expect(await provider.get(bad.id)).toMatchObject({
      status: "error",
      bootstrap: { exitCode: 7 },
      statusReason: { code: "bootstrap-failed" },
      bootstrapChecksum: expect.stringMatching(/^sha256:/) as string,
    });
    const lines = await linesOf(provider.logs(bad.id));
    expect(lines.at(-1)).toContain("exit code 7");
  });

  test("an own outcome gets the script, and its output is in the logs, which can be followed", async () => {
    const scripts: string[] = [];
    const world = memoryWorld({
      runBootstrap: ({ script }) => {
        scripts.push(script);
        return { exitCode: 9, output: ["no space left"] };
      },
    });
    const provider = memory({ owner: "ci", world });
    const { id, nativeId } = await provider.spawn({ bootstrap: { script: "make world" } });
    const following = linesOf(provider.logs(nativeId, { follow: true }));
    await world.clock.sleep(60_000);
    await provider.terminate(id);
    const lines = await following;
    expect(scripts).toEqual(["make world"]);
    expect(lines.some((line) => line.endsWith(" no space left"))).toBe(true);
    expect(lines.at(-1)).toContain("deleted by request");
    const controller = new AbortController();
    const other = await provider.spawn({});
    const endless = linesOf(provider.logs(other.id, { follow: true, signal: controller.signal }));
    await world.clock.sleep(5_000);
    controller.abort();
    expect((await endless).length).toBeGreaterThan(0);
    const missing = await linesOf(provider.logs("mem-000000000000")).catch((error: unknown) => error);
    expect(isProviderError(missing, "NOT_FOUND")).toBe(true);
  });

  test("one that is too large is refused before any request", async () => {
    const world = memoryWorld({ userDataMax: 10_000 });
    const provider = memory({ owner: "ci", world });
    const begun = world.clock.now();
    const error = await thrown(provider.spawn({ bootstrap: { script: "#".repeat(10_001) } }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(world.clock.now()).toBe(begun);
  });
});

describe("clusters", () => {
  test("are provisioned once, completed, and refused under another config", async () => {
    const world = memoryWorld();
    const [one, other] = [memoryCluster({ owner: "ci", world }), memoryCluster({ owner: "ci", world })];
    const config = { name: "dev", nodes: 3 };
    const [cluster] = await Promise.all([one.provision(config), other.provision(config)]);
    expect(cluster?.nodes.map(({ role, status }) => `${role} ${status}`)).toEqual([
      "control-plane running",
      "worker running",
      "worker running",
    ]);
    const [, lost] = cluster?.nodes ?? [];
    await other.deleteNodes([{ id: lost?.id ?? "" }, { id: "memnode-000000000000" }]);
    await one.deleteNodes([]);
    expect(await other.listNodes({ name: "dev" })).toHaveLength(2);
    expect(await thrown(other.provision({ ...config, nodes: 2 }))).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect((await other.provision(config)).nodes).toHaveLength(3);
    expect((await memoryCluster({ owner: "neighbour", world }).provision({ name: "dev" })).nodes).toHaveLength(1);
    expect((await one.listClusters()).map(({ name, nodes }) => `${name} ${nodes.length}`)).toEqual(["dev 3"]);
    expect(await one.listNodes({ name: "unknown" })).toEqual([]);
  });

  test("the endpoint is read live; without a control plane there is none", async () => {
    const world = memoryWorld();
    const cluster = memoryCluster({ owner: "ci", world });
    const { nodes } = await cluster.provision({ name: "dev" });
    const first = await cluster.getApiServerEndpoint({ name: "dev" });
    expect(new URL(first).protocol).toBe("https:");
    const id = nodes[0]?.id ?? "";
    world.stopNode(id);
    expect((await thrown(cluster.getApiServerEndpoint({ name: "dev" }))).code).toBe("INVALID_STATE");
    expect((await thrown(cluster.execInContainer(id, ["true"]))).code).toBe("INVALID_STATE");
    world.restartNode(id);
    expect(await cluster.getApiServerEndpoint({ name: "dev" })).not.toBe(first);
    expect((await thrown(cluster.getApiServerEndpoint({ name: "none" }))).code).toBe("NOT_FOUND");
  });

  test("a node runs what it can, with an argument list and stdin; a failure is a result", async () => {
    const world = memoryWorld({
      runInNode: ({ argv }) => (argv[0] === "kubectl" ? { exitCode: 3, stdout: "", stderr: "no server" } : undefined),
    });
    const cluster = memoryCluster({ owner: "ci", world });
    const { nodes } = await cluster.provision({ name: "dev" });
    const id = nodes[0]?.id ?? "";
    const seen: string[] = [];
    expect(
      await cluster.execInContainer(id, ["echo", "$(reboot)", "a b"], { onStdout: (text) => seen.push(text) }),
    ).toEqual({
      exitCode: 0,
      stdout: "$(reboot) a b\n",
      stderr: "",
    });
    expect(seen).toEqual(["$(reboot) a b\n"]);
    expect((await cluster.execInContainer(id, ["cat"], { stdin: "zwölf\n" })).stdout).toBe("zwölf\n");
    expect((await cluster.execInContainer(id, ["hostname"])).stdout).toBe(`${nodes[0]?.name}\n`);
    expect((await cluster.execInContainer(id, ["constructor"])).exitCode).toBe(127);
    expect(await cluster.execInContainer(id, ["kubectl"])).toMatchObject({ exitCode: 3, stderr: "no server" });
    expect((await thrown(cluster.execInContainer("memnode-000000000000", ["true"]))).code).toBe("NOT_FOUND");
  });

  test("a step that fails leaves nothing, unless it is told to", async () => {
    for (const retain of [false, true]) {
      const world = memoryWorld();
      const cluster = memoryCluster({ owner: "ci", world });
      const error = await thrown(cluster.provision({ name: "dev", nodes: 2, waitTimeoutMs: 5_000, retain }));
      expect(error).toMatchObject({ code: "TIMEOUT", effect: "applied" });
      expect(await cluster.listNodes({ name: "dev" })).toHaveLength(retain ? 2 : 0);
    }
  });

  test("a call that is aborted, and configs that cannot be", async () => {
    const world = memoryWorld();
    const cluster = memoryCluster({ owner: "ci", world });
    expect(await thrown(cluster.provision({ name: "dev" }, { timeoutMs: 4_000 }))).toMatchObject({
      code: "TIMEOUT",
      effect: "applied",
    });
    expect(await cluster.listClusters()).toEqual([]);
    for (const config of [
      { name: "" },
      { name: "Dev" },
      { name: "-a" },
      { name: "a", nodes: 0 },
      { name: "a", nodes: 1.5 },
    ]) {
      expect((await thrown(cluster.provision(config))).code).toBe("INVALID_SPEC");
    }
    expect((await thrown(cluster.provision({ name: "a", kubeconfigPath: "/tmp/x" }))).code).toBe("UNSUPPORTED");
  });
});
