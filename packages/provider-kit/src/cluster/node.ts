import { type Cluster, type ClusterExecResult, type ClusterNode, ProviderError } from "@slipway/core";
import { API_SERVER_PORT, refused } from "./cluster-config.ts";
import { type ClusterRuntime, NODE_LABELS, type RuntimeCall, type RuntimeNode } from "./runtime.ts";

const ORDINARY_MS = 60_000;
const POLL_MS = 1_000;

/** A program in a node answered what a step cannot go on with. Its message is what the program said last. */
export class StepFailure extends Error {
  override readonly name: string = "StepFailure";
  /** Which step it belongs to, where that is not the one under way. */
  readonly step: string | undefined;

  constructor(message: string, step?: string) {
    super(message);
    this.step = step;
  }
}

/** A running node, and what a step does in it. */
export class NodeShell {
  readonly node: RuntimeNode;
  readonly #runtime: ClusterRuntime;
  readonly #call: RuntimeCall;

  constructor(runtime: ClusterRuntime, call: RuntimeCall, node: RuntimeNode) {
    this.node = node;
    this.#runtime = runtime;
    this.#call = call;
  }

  get address(): string {
    if (this.node.address === undefined) throw new StepFailure(`${this.node.name} has no address`);
    return this.node.address;
  }

  /** Whatever the exit code. */
  run(argv: readonly string[], options: { stdin?: string; timeoutMs?: number } = {}): Promise<ClusterExecResult> {
    const { stdin, timeoutMs = ORDINARY_MS } = options;
    return this.#runtime.exec(this.#call, this.node.id, argv, { stdin, timeoutMs });
  }

  /** Its stdout. Throws StepFailure for a non-zero exit. */
  async must(argv: readonly string[], options: { stdin?: string; timeoutMs?: number } = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(argv, options);
    if (exitCode === 0) return stdout;
    throw new StepFailure(`${argv.slice(0, 2).join(" ")} ended with ${exitCode}${lastLine(stderr || stdout)}`);
  }

  async succeeds(argv: readonly string[]): Promise<boolean> {
    return (await this.run(argv)).exitCode === 0;
  }

  /** Asks again until the answer is right. Throws a TIMEOUT with the last answer. */
  async until(
    argv: readonly string[],
    isRight: (result: ClusterExecResult) => boolean,
    waitMs: number,
    what: string,
  ): Promise<void> {
    const { clock } = this.#runtime;
    const end = clock.now() + waitMs;
    for (;;) {
      const result = await this.run(argv);
      if (isRight(result)) return;
      if (clock.now() >= end) {
        const said = lastLine(result.stderr || result.stdout);
        throw new ProviderError("TIMEOUT", {
          message: `${what} within ${waitMs} ms${said}`,
          provider: this.#runtime.name,
          operation: this.#call.operation,
          effect: "applied",
        });
      }
      await clock.sleep(POLL_MS, this.#call.signal);
    }
  }

  /** A file with this content, whose text stands in no argument. */
  async write(path: string, content: string): Promise<void> {
    await this.must(["tee", path], { stdin: content });
  }

  /** Was this noted in the node, by this provision or an earlier one? */
  isNoted(note: string): Promise<boolean> {
    return this.succeeds(["test", "-e", `${NOTES}/${note}`]);
  }

  /** Whoever completes a half-made cluster finds what is done already. */
  async note(note: string): Promise<void> {
    await this.must(["mkdir", "-p", NOTES]);
    await this.must(["touch", `${NOTES}/${note}`]);
  }
}

/** In the node's own disk: it lives as long as what it tells of. */
const NOTES = "/kind/slipway";
const LONGEST_LINE = 300;
/** A bootstrap token of kubeadm: it lets a node in for a day. */
const TOKEN = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g;

function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${line.replace(TOKEN, "[token]").slice(0, LONGEST_LINE)}`;
}

export function clusterNameOf({ labels }: RuntimeNode): string {
  return labels[NODE_LABELS.cluster] ?? "";
}

/** This owner's nodes of one cluster, the control plane first. */
export async function nodesOfCluster(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  name: string,
): Promise<readonly RuntimeNode[]> {
  return byName((await runtime.nodes(call)).filter((node) => clusterNameOf(node) === name));
}

/** Names end with the node's number. */
export function byName(nodes: readonly RuntimeNode[]): readonly RuntimeNode[] {
  return nodes.toSorted((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
}

export function nodeFrom(node: RuntimeNode): ClusterNode {
  const { id, name, labels, status, address, image } = node;
  const role = labels[NODE_LABELS.role] === "control-plane" ? "control-plane" : "worker";
  return {
    id,
    name,
    cluster: clusterNameOf(node),
    role,
    status,
    ...(address === undefined || status !== "running" ? {} : { address }),
    image,
  };
}

export function clusterFrom(owner: string, name: string, nodes: readonly RuntimeNode[]): Cluster {
  const times = nodes.map(({ createdAt }) => createdAt).filter((time) => time !== null);
  return { name, owner, createdAt: times.sort()[0] ?? null, nodes: nodes.map(nodeFrom) };
}

/** Throws NOT_FOUND for no nodes, INVALID_STATE where the control plane does not run. */
export function endpointOf(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  name: string,
  nodes: readonly RuntimeNode[],
): string {
  if (nodes.length === 0) throw refused(runtime, call, "NOT_FOUND", `there is no cluster ${JSON.stringify(name)}`);
  const plane = nodes.find(({ labels }) => labels[NODE_LABELS.role] === "control-plane");
  if (plane?.status !== "running") {
    const hint = "Provision it again with its own config: it starts what is stopped.";
    const said = `the control plane of cluster ${name} is ${plane?.status ?? "gone"}`;
    throw refused(runtime, call, "INVALID_STATE", said, hint);
  }
  const port = plane.ports.find(({ containerPort }) => containerPort === API_SERVER_PORT)?.hostPort;
  if (port !== undefined) return `https://127.0.0.1:${port}`;
  if (plane.address !== undefined) return `https://${plane.address}:${API_SERVER_PORT}`;
  throw refused(runtime, call, "INVALID_STATE", `the control plane of cluster ${name} has no address yet`);
}
