import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterProvider } from "@slipway/core";
import { afterEach, describe, expect, test } from "vitest";
import { type ContainerEmulator, type ContainerEmulatorSettings, containerEmulator } from "../emulator/index.ts";
import { register } from "../src/index.ts";
import { failure } from "./failure.ts";

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function world(settings: ContainerEmulatorSettings = {}): Promise<{
  readonly emulator: ContainerEmulator;
  readonly cluster: ClusterProvider;
  readonly folder: string;
}> {
  const emulator = containerEmulator(settings);
  open.push(() => emulator.close());
  const folder = mkdtempSync(join(tmpdir(), "slipway-cluster-test-"));
  open.push(() => rmSync(folder, { recursive: true, force: true }));
  const runtime = { exec: emulator.exec, clock: emulator.clock };
  const { cluster } = await register({}, { owner: "t", variables: {}, runtime });
  return { emulator, cluster, folder };
}

/** Whoever lists the containers finds only those whose first process has ended. */
async function late(): Promise<{ readonly emulator: ContainerEmulator; readonly provision: () => Promise<unknown> }> {
  const emulator = containerEmulator();
  open.push(() => emulator.close());
  const isUp = async (): Promise<boolean> =>
    (await emulator.control.instances()).some(({ status }) => status === "running");
  const exec: typeof emulator.exec = async (file, args, options) => {
    if (args[0] === "list") await expect.poll(isUp, { timeout: 120_000 }).toBe(false);
    return await emulator.exec(file, args, options);
  };
  const { cluster } = await register({}, { owner: "t", variables: {}, runtime: { exec, clock: emulator.clock } });
  return { emulator, provision: () => cluster.provision({ name: "demo", waitTimeoutMs: 10_000 }) };
}

describe("a cluster of one node", () => {
  test("is made, found and taken away", async () => {
    const { cluster, emulator, folder } = await world();
    const steps: string[] = [];
    const kubeconfigPath = join(folder, "config");
    const made = await cluster.provision({ name: "demo", kubeconfigPath }, { onStep: ({ name }) => steps.push(name) });
    expect(steps).toEqual([
      "image",
      "create",
      "init",
      "runtime",
      "ip-forward",
      "kubeadm-config",
      "kubeadm-init",
      "api-server",
      "cni",
      "storage-class",
      "untaint",
      "nodes-ready",
      "note",
      "kubeconfig",
    ]);
    expect(made.nodes).toMatchObject([{ role: "control-plane", status: "running", cluster: "demo" }]);
    const endpoint = await cluster.getApiServerEndpoint(made);
    expect(endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await readFile(kubeconfigPath, "utf8")).toContain(`server: ${endpoint}`);
    await cluster.deleteNodes(made.nodes);
    expect(await emulator.control.instances()).toEqual([]);
    expect(await readFile(kubeconfigPath, "utf8")).not.toContain("slipway-demo");
  });
});

describe("the kubeconfig of a cluster", () => {
  const other = async (emulator: ContainerEmulator) =>
    (await register({}, { owner: "u", variables: {}, runtime: { exec: emulator.exec, clock: emulator.clock } }))
      .cluster;

  test("is one file: asked for with another, a cluster that is there is left as it is", async () => {
    const { cluster, folder } = await world();
    const made = await cluster.provision({ name: "demo", kubeconfigPath: join(folder, "a") });
    await expect(cluster.provision({ name: "demo", kubeconfigPath: join(folder, "b") })).rejects.toMatchObject({
      code: "CONFLICT",
      effect: "none",
      hint: expect.stringContaining("slipway cluster kubeconfig demo"),
    });
    await cluster.provision({ name: "demo" });
    await cluster.deleteNodes(made.nodes);
    expect(await readFile(join(folder, "a"), "utf8")).not.toContain("slipway-demo");
  });

  test("keeps another owner's cluster of the same name, and nothing is made that could not be written there", async () => {
    const { cluster, emulator, folder } = await world();
    const kubeconfigPath = join(folder, "config");
    const one = await cluster.provision({ name: "demo", kubeconfigPath });
    const theirs = await other(emulator);
    const before = (await emulator.control.instances()).length;
    const refusal = { code: "INVALID_STATE", effect: "none", message: expect.stringContaining("another owner, t") };
    await expect(theirs.provision({ name: "demo", kubeconfigPath })).rejects.toMatchObject(refusal);
    expect(await emulator.control.instances()).toHaveLength(before);
    await theirs.provision({ name: "demo" });
    expect(await readFile(kubeconfigPath, "utf8")).toContain(await cluster.getApiServerEndpoint(one));
  });

  test("that cannot be changed stops a deletion before it begins; mended, the deletion takes the entries out", async () => {
    const { cluster, folder } = await world();
    const kubeconfigPath = join(folder, "config");
    const made = await cluster.provision({ name: "demo", kubeconfigPath });
    const whole = await readFile(kubeconfigPath, "utf8");
    await writeFile(kubeconfigPath, ": : not yaml [");
    const refusal = { code: "INVALID_STATE", effect: "none", hint: expect.stringContaining("Mend the file") };
    await expect(cluster.deleteNodes(made.nodes)).rejects.toMatchObject(refusal);
    expect(await cluster.listNodes(made)).toHaveLength(1);
    await writeFile(kubeconfigPath, whole);
    await cluster.deleteNodes(made.nodes);
    expect(await readFile(kubeconfigPath, "utf8")).not.toContain("slipway-demo");
    expect(await cluster.listNodes(made)).toEqual([]);
  });
});

/** Everything that can go wrong on the way, by the step that the error has to name. */
interface Arranged {
  readonly step: string;
  readonly arrange: (emulator: ContainerEmulator) => Promise<void>;
  readonly nodes?: number;
}
const FAILURES: readonly Arranged[] = [
  {
    step: "image",
    arrange: ({ control }) =>
      control.addFaults({ command: "image pull", does: "fail", stderr: "Error: 404 Not Found\n" }),
  },
  {
    step: "create",
    arrange: ({ control }) =>
      control.addFaults({ command: "run", does: "fail", stderr: "Error: default kernel not configured\n" }),
  },
  { step: "init", arrange: ({ control }) => control.setStep("init", { does: "fail", says: "systemd said no" }) },
  {
    step: "runtime",
    arrange: ({ control }) => control.addFaults({ command: "exec crictl", does: "fail", times: 999 }),
  },
  { step: "ip-forward", arrange: ({ control }) => control.setStep("sysctl", { does: "fail" }) },
  { step: "kubeadm-config", arrange: ({ control }) => control.setStep("kubeadm-config", { does: "fail" }) },
  {
    step: "kubeadm-init",
    arrange: ({ control }) => control.setStep("kubeadm-init", { does: "fail", says: "[ERROR Swap]: no" }),
  },
  { step: "kubeadm-init", arrange: ({ control }) => control.setStep("kubeadm-init", { does: "fail-after" }) },
  { step: "api-server", arrange: ({ control }) => control.setStep("readyz", { does: "fail" }) },
  { step: "cni", arrange: ({ control }) => control.setStep("cni-apply", { does: "fail" }) },
  { step: "cni", arrange: ({ control }) => control.setStep("cni-manifest", { does: "fail" }) },
  { step: "storage-class", arrange: ({ control }) => control.setStep("storage-class", { does: "fail" }) },
  { step: "untaint", arrange: ({ control }) => control.setStep("untaint", { does: "fail" }) },
  { step: "join", arrange: ({ control }) => control.setStep("kubeadm-token", { does: "fail" }), nodes: 2 },
  { step: "join", arrange: ({ control }) => control.setStep("kubeadm-join", { does: "fail" }), nodes: 2 },
  { step: "nodes-ready", arrange: ({ control }) => control.setStep("wait-ready", { does: "fail" }) },
  {
    step: "note",
    arrange: ({ control }) => control.addFaults({ command: "exec touch /kind/slipway/complete", does: "fail" }),
  },
  { step: "kubeconfig", arrange: ({ control }) => control.setStep("admin-conf", { does: "fail" }) },
];

describe("a failure", () => {
  test.each(FAILURES)("at $step names it, and leaves nothing", async ({ step, arrange, nodes = 1 }) => {
    const { cluster, emulator, folder } = await world();
    await arrange(emulator);
    const config = { name: "demo", nodes, waitTimeoutMs: 10_000, kubeconfigPath: join(folder, "config") };
    const error = await failure(cluster.provision(config));
    expect(error.message).toContain(`cluster demo: step ${step} failed: `);
    expect(error).toMatchObject({ effect: "none", operation: "provision", provider: "apple-container" });
    expect(await emulator.control.instances()).toEqual([]);
    expect(await cluster.listClusters()).toEqual([]);
  });

  test("of a node's first process is named so, however late anybody looks", async () => {
    const { emulator, provision } = await late();
    await emulator.control.setStep("init", { does: "fail", says: "systemd said no" });
    const { message } = await failure(provision());
    expect(message).toContain("cluster demo: step init failed: ");
    expect(message).toContain("is stopped after its start");
  });

  test("shows what the node said last", async () => {
    const { cluster, emulator } = await world();
    await emulator.control.setStep("kubeadm-init", { does: "fail", says: "[ERROR Swap]: running with swap on" });
    const { message } = await failure(cluster.provision({ name: "demo" }));
    expect(message).toContain("kubeadm init ended with 1: [ERROR Swap]: running with swap on");
    expect(message).toContain("Reached target Multi-User System");
  });

  test("shows no join token", async () => {
    const { cluster, emulator } = await world();
    const token = "abcdef.0123456789abcdef";
    await emulator.control.setStep("kubeadm-token", { does: "fail", says: `could not store ${token}` });
    const { message } = await failure(cluster.provision({ name: "demo", nodes: 2 }));
    expect(message).toContain("could not store [token]");
    expect(message).not.toContain(token);
  });

  test("with retain leaves it, and the same config goes on from there", async () => {
    const { cluster, emulator } = await world();
    await emulator.control.setStep("cni-apply", { does: "fail", times: 1 });
    const config = { name: "demo", retain: true };
    expect(await failure(cluster.provision(config))).toMatchObject({ effect: "applied", code: "UNAVAILABLE" });
    const [node] = await emulator.control.instances();
    const { nodes } = await cluster.provision(config);
    expect(nodes.map(({ id }) => id)).toEqual([node?.nativeId]);
    expect(named(await emulator.control.steps(), "kubeadm-init")).toBe(1);
  });

  test("of a cluster that was complete takes nothing away", async () => {
    const { cluster, emulator } = await world();
    await cluster.provision({ name: "demo" });
    await emulator.control.setStep("readyz", { does: "fail" });
    const error = await failure(cluster.provision({ name: "demo", waitTimeoutMs: 5_000 }));
    expect(error).toMatchObject({ code: "TIMEOUT", effect: "applied" });
    expect(await emulator.control.instances()).toHaveLength(1);
  });

  test("that cannot be cleaned up says so", async () => {
    const { cluster, emulator } = await world();
    await emulator.control.setStep("untaint", { does: "fail" });
    await emulator.control.addFaults({ command: "delete", does: "fail", stderr: "Error: the disk is gone\n" });
    expect(await failure(cluster.provision({ name: "demo" }))).toMatchObject({ effect: "unknown" });
  });
});

describe("what was cut off", () => {
  test("in kubeadm init is reset and made again", async () => {
    const { cluster, emulator } = await world();
    await emulator.control.setStep("kubeadm-init", { does: "fail-after", times: 1 });
    await failure(cluster.provision({ name: "demo", retain: true }));
    const { nodes } = await cluster.provision({ name: "demo", retain: true });
    expect(nodes).toMatchObject([{ status: "running" }]);
    expect(named(await emulator.control.steps(), "kubeadm-reset")).toBe(1);
  });

  test("between a node's creation and its start is started", async () => {
    const { cluster, emulator } = await world();
    const { nodes } = await cluster.provision({ name: "demo" });
    await emulator.control.forgetStart(nodes[0]?.id ?? "");
    expect((await cluster.provision({ name: "demo" })).nodes).toMatchObject([{ status: "running" }]);
  });

  test("by an abort is taken away", async () => {
    const { cluster, emulator } = await world();
    const controller = new AbortController();
    const onStep = ({ name }: { readonly name: string }): void => {
      if (name === "cni") controller.abort();
    };
    const error = await failure(cluster.provision({ name: "demo" }, { signal: controller.signal, onStep }));
    expect(error).toMatchObject({ code: "CANCELLED", effect: "none" });
    expect(await emulator.control.instances()).toEqual([]);
  });
});

test("after a restart the address is another, and the endpoint that is read live works on", async () => {
  const { cluster, emulator } = await world();
  const made = await cluster.provision({ name: "demo" });
  await emulator.control.restartDaemon();
  const stopped = await cluster.listNodes(made);
  expect(stopped).toMatchObject([{ status: "stopped" }]);
  expect(await failure(cluster.getApiServerEndpoint(made))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  const again = await cluster.provision({ name: "demo" });
  expect(again.nodes[0]?.address).not.toBe(made.nodes[0]?.address);
  expect(await cluster.getApiServerEndpoint(made)).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(named(await emulator.control.steps(), "kubeadm-init")).toBe(1);
});

describe("a config", () => {
  test.each([
    [{ name: "Demo" }, "INVALID_SPEC"],
    [{ name: "demo", memoryBytes: 2 * 1024 ** 3 }, "INVALID_SPEC"],
    [{ name: "demo", portMappings: [{ containerPort: 6443, hostPort: 6443 }] }, "INVALID_SPEC"],
    [{ name: "demo", nodes: 0 }, "INVALID_SPEC"],
  ] as const)("%j is %s, and nothing runs", async (config, code) => {
    const { cluster, emulator } = await world();
    expect(await failure(cluster.provision(config))).toMatchObject({ code, effect: "none" });
    expect(emulator.control.calls.map(([verb]) => verb)).not.toContain("run");
  });

  test("of more than one node is refused on macOS 15, with the reason", async () => {
    const { cluster } = await world({ macos: 15 });
    const error = await failure(cluster.provision({ name: "demo", nodes: 2 }));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toContain("macOS 15");
    expect((await cluster.provision({ name: "demo" })).nodes).toHaveLength(1);
  });

  test("has its ports mapped", async () => {
    const { cluster, emulator } = await world();
    await cluster.provision({ name: "demo", portMappings: [{ containerPort: 80, hostPort: 18_080 }] });
    const run = emulator.control.calls.find(([verb]) => verb === "run") ?? [];
    expect(run).toContain("127.0.0.1:18080:80/tcp");
    expect(run).toContain("4096m");
    expect(run.join(" ")).toContain("--cap-add ALL --masked-path NONE --read-only-path NONE");
  });
});

test("workers join, and no token stands in an argument", async () => {
  const { cluster, emulator } = await world();
  const made = await cluster.provision({ name: "demo", nodes: 3 });
  expect(made.nodes.map(({ role }) => role)).toEqual(["control-plane", "worker", "worker"]);
  const [plane = { id: "" }] = made.nodes;
  const kubectl = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "nodes"];
  const { stdout } = await cluster.execInContainer(plane.id, kubectl);
  expect(stdout.trim().split("\n")).toHaveLength(3);
  expect(JSON.stringify(emulator.control.calls)).not.toMatch(/[a-z0-9]{6}\.[a-z0-9]{16}/);
});

test("the first version has no masks to lift, and is asked for none", async () => {
  const { cluster, emulator } = await world({ version: "1.0.0" });
  await cluster.provision({ name: "demo" });
  expect(JSON.stringify(emulator.control.calls)).not.toContain("--masked-path");
});

test("two at once make one cluster", async () => {
  const { cluster, emulator } = await world();
  const made = await Promise.all([1, 2, 3].map(() => cluster.provision({ name: "demo" })));
  expect(new Set(made.map(({ nodes }) => nodes[0]?.id)).size).toBe(1);
  expect(await emulator.control.instances()).toHaveLength(1);
  expect(named(await emulator.control.steps(), "kubeadm-init")).toBe(1);
});

test("another owner's nodes and containers are neither seen nor deleted", async () => {
  const { cluster, emulator } = await world();
  const runtime = { exec: emulator.exec, clock: emulator.clock };
  const { cluster: other } = await register({}, { owner: "u", variables: {}, runtime });
  const made = await other.provision({ name: "demo" });
  const unmanaged = await emulator.control.addUnmanaged();
  expect(await cluster.listClusters()).toEqual([]);
  await cluster.deleteNodes([...made.nodes, { id: unmanaged }]);
  expect(await emulator.control.instances()).toHaveLength(2);
  const id = made.nodes[0]?.id ?? "";
  expect(await failure(cluster.execInContainer(id, ["true"]))).toMatchObject({ code: "NOT_FOUND" });
});

function named(steps: readonly { readonly step: string }[], name: string): number {
  return steps.filter(({ step }) => step === name).length;
}
