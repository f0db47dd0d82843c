import { mkdir } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import {
  abortError,
  type Cluster,
  type ClusterConfig,
  type ErrorCode,
  isProviderError,
  ProviderError,
  type ProvisionOptions,
} from "@slipway/core";
import { fileLock } from "../sandbox/file-lock.ts";
import { type ClusterPlan, clusterPlan, refused } from "./cluster-config.ts";
import { checkKubeconfig, KubeconfigError } from "./kubeconfig.ts";
import { clusterFrom, endpointOf, NodeShell, nodesOfCluster, StepFailure } from "./node.ts";
import { type ClusterRuntime, NODE_LABELS, type NodeSpec, type RuntimeCall, type RuntimeNode } from "./runtime.ts";
import { COMPLETE, type Made, STEPS } from "./steps.ts";

type Call = RuntimeCall & Pick<ProvisionOptions, "onStep">;

const CLEANUP_MS = 120_000;
const LOG_LINES = 8;
const LOCK_POLL_MS = 100;

/**
 * From a config to a cluster that works: what is there already is found and completed, each step does nothing where it
 * was done. Throws a ProviderError that names the step; the effect is `none` where everything could be taken away again.
 */
export async function provision(runtime: ClusterRuntime, call: Call, config: ClusterConfig): Promise<Cluster> {
  const plan = await clusterPlan(runtime, call, config);
  const lock = await takeTurn(runtime, call, plan.name);
  try {
    return await provisioned(runtime, call, plan);
  } finally {
    await lock.release();
  }
}

async function provisioned(runtime: ClusterRuntime, call: Call, plan: ClusterPlan): Promise<Cluster> {
  const there = await nodesOfCluster(runtime, call, plan.name);
  refuseOther(runtime, call, there, plan);
  await refuseKubeconfig(runtime, call, there, plan);
  const progress = { step: "image", complete: await isComplete(runtime, call, there, plan) };
  const begin = (name: string, title: string): void => {
    progress.step = name;
    runtime.log.info(`cluster ${plan.name}: ${title}`, { step: name });
    call.onStep?.({ name, title });
  };
  try {
    begin("image", `getting the image ${plan.image}`);
    await runtime.ensureImage(call, plan.image);
    begin("create", `starting ${plan.nodes.length === 1 ? "the node" : `${plan.nodes.length} nodes`}`);
    const made = await startNodes(runtime, call, plan, there);
    for (const { name, title, applies, run } of STEPS) {
      if (applies?.(made) === false) continue;
      // Whatever was asked of the node is no use once the caller has gone.
      if (call.signal?.aborted === true) throw abortError(call.signal, at(runtime, call, "unknown"));
      begin(name, title);
      await run(made);
    }
    return clusterFrom(runtime.owner, plan.name, await nodesOfCluster(runtime, call, plan.name));
  } catch (error) {
    throw await failed(runtime, call, plan, progress, error);
  }
}

function at(runtime: ClusterRuntime, call: Call, effect: "none" | "applied" | "unknown") {
  return { provider: runtime.name, operation: call.operation, effect };
}

function refuseOther(runtime: ClusterRuntime, call: Call, there: readonly RuntimeNode[], plan: ClusterPlan): void {
  const other = there.find(({ labels }) => labels[NODE_LABELS.config] !== plan.fingerprint);
  if (other === undefined) return;
  throw new ProviderError("CONFLICT", {
    ...at(runtime, call, "none"),
    message: `cluster ${plan.name} is there with another config`,
    native: { id: other.id },
    hint: "Delete it first, or give the config that it was made with.",
  });
}

/** Before anything is made: in the end it could not be written. */
async function refuseKubeconfig(
  runtime: ClusterRuntime,
  call: Call,
  [first]: readonly RuntimeNode[],
  { name, kubeconfigPath }: ClusterPlan,
): Promise<void> {
  if (kubeconfigPath === undefined) return;
  const before = first?.labels[NODE_LABELS.kubeconfig];
  // What the nodes do not tell of would be left behind when they are deleted.
  if (first !== undefined && before !== kubeconfigPath) {
    throw new ProviderError("CONFLICT", {
      ...at(runtime, call, "none"),
      message: `cluster ${name} is there with ${before === undefined ? "no kubeconfig" : `the kubeconfig ${before}`}`,
      native: { id: first.id },
      hint: `For another file print its kubeconfig, as by \`slipway cluster kubeconfig ${name}\`.`,
    });
  }
  try {
    await checkKubeconfig(kubeconfigPath, { clusterName: name, owner: runtime.owner });
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw refused(runtime, call, "INVALID_STATE", error.message, "Nothing was made. Mend the file, or name another.");
  }
}

/** Was it made to its end? Then nothing that fails now may take it away. */
async function isComplete(
  runtime: ClusterRuntime,
  call: Call,
  there: readonly RuntimeNode[],
  plan: ClusterPlan,
): Promise<boolean> {
  const plane = there.find(({ name }) => name === plan.nodes[0]?.name);
  if (plane === undefined) return false;
  // A half-made one is not left stopped: it is taken away, or was cut off while it ran.
  if (plane.status !== "running") return true;
  return await new NodeShell(runtime, call, plane).isNoted(COMPLETE);
}

async function startNodes(
  runtime: ClusterRuntime,
  call: Call,
  plan: ClusterPlan,
  there: readonly RuntimeNode[],
): Promise<Made> {
  const hasPlane = there.some(({ name }) => name === plan.nodes[0]?.name);
  // Workers of a control plane that is gone belong to nobody: they would join no other.
  if (!hasPlane) for (const { id } of there) await runtime.removeNode(call, id);
  for (const spec of plan.nodes) await startNode(runtime, call, spec, hasPlane ? there : []);
  const nodes = await nodesOfCluster(runtime, call, plan.name);
  const shells = plan.nodes.map((spec) => {
    const node = nodes.find(({ name }) => name === spec.name);
    if (node?.status === "running") return new NodeShell(runtime, call, node);
    // It was created; what ended is its first process, which a slow machine sees only when it looks for it.
    throw new StepFailure(`${spec.name} is ${node?.status ?? "gone"} after its start`, "init");
  });
  const [plane, ...workers] = shells;
  // A plan has one node at least.
  if (plane === undefined) throw new StepFailure("there is no control plane");
  return { runtime, plan, plane, workers, endpoint: endpointOf(runtime, call, plan.name, nodes) };
}

async function startNode(
  runtime: ClusterRuntime,
  call: Call,
  spec: NodeSpec,
  there: readonly RuntimeNode[],
): Promise<void> {
  const found = there.find(({ name }) => name === spec.name);
  if (found?.status === "running") return;
  if (found !== undefined) return await runtime.startNode(call, found.id);
  await runtime.createNode(call, spec);
}

interface Progress {
  readonly step: string;
  readonly complete: boolean;
}

/** Takes away what was half made, and tells where it stopped. */
async function failed(
  runtime: ClusterRuntime,
  call: Call,
  plan: ClusterPlan,
  { step: begun, complete }: Progress,
  error: unknown,
): Promise<ProviderError> {
  const step = (error instanceof StepFailure ? error.step : undefined) ?? begun;
  const still = { operation: call.operation, signal: AbortSignal.timeout(CLEANUP_MS) };
  const logs = await lastLines(runtime, still, plan);
  const keeps = complete || plan.retain;
  const effect = keeps ? "applied" : await takeAway(runtime, still, plan);
  const aborted = call.signal?.aborted === true ? abortError(call.signal, at(runtime, call, effect)) : null;
  const why = aborted?.message ?? whyOf(error);
  const told = logs === "" ? "" : `\nThe last lines of its control plane:\n${logs}`;
  return new ProviderError(aborted?.code ?? codeOf(error), {
    ...at(runtime, call, effect),
    message: `cluster ${plan.name}: step ${step} failed: ${why}${told}`,
    hint: hintOf(effect, keeps, error),
    native: isProviderError(error) ? error.native : { code: step },
    cause: error,
  });
}

function whyOf(error: unknown): string {
  if (isProviderError(error) || error instanceof StepFailure || error instanceof KubeconfigError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function codeOf(error: unknown): ErrorCode {
  if (isProviderError(error)) return error.code;
  if (error instanceof StepFailure) return "UNAVAILABLE";
  return error instanceof KubeconfigError ? "INVALID_STATE" : "INTERNAL";
}

function hintOf(effect: "none" | "applied" | "unknown", keeps: boolean, error: unknown): string {
  if (effect === "none") return isProviderError(error) && error.hint !== undefined ? error.hint : NOTHING_LEFT;
  return keeps ? "The same config again goes on from there." : "Delete the cluster: not all of it could be taken away.";
}
const NOTHING_LEFT = "Nothing is left of it. Try again, or keep it with `retain` to look at it.";

/** `none` if nothing of the cluster is left. */
async function takeAway(runtime: ClusterRuntime, call: RuntimeCall, plan: ClusterPlan): Promise<"none" | "unknown"> {
  try {
    for (const { id } of await nodesOfCluster(runtime, call, plan.name)) await runtime.removeNode(call, id);
    return (await nodesOfCluster(runtime, call, plan.name)).length === 0 ? "none" : "unknown";
  } catch (error) {
    runtime.log.warn(`cluster ${plan.name}: what was made could not all be taken away`, { error: String(error) });
    return "unknown";
  }
}

async function lastLines(runtime: ClusterRuntime, call: RuntimeCall, plan: ClusterPlan): Promise<string> {
  try {
    const node = (await nodesOfCluster(runtime, call, plan.name)).find(({ name }) => name === plan.nodes[0]?.name);
    if (node === undefined) return "";
    const lines = (await runtime.logs(call, node.id)).trimEnd().split("\n").slice(-LOG_LINES);
    return lines
      .map((line) => `  ${line.slice(0, 200)}`)
      .join("\n")
      .trimEnd();
  } catch {
    // What led here says more.
    return "";
  }
}

/** One provision of a cluster at a time on this machine: two would initialise one node twice. */
async function takeTurn(runtime: ClusterRuntime, call: Call, name: string): Promise<{ release: () => Promise<void> }> {
  const folder = join(tmpdir(), `slipway-clusters-${userInfo().uid}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const of = process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(`${runtime.name}\0${runtime.owner}\0${name}`)
    .digest("hex")
    .slice(0, 32);
  const lock = await fileLock(join(folder, `${of}.lock`), async () => {
    if (call.signal?.aborted === true) return false;
    // Another process's time is the machine's own.
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    return true;
  });
  if (lock !== null) return lock;
  throw abortError(call.signal ?? AbortSignal.abort(), at(runtime, call, "none"));
}
