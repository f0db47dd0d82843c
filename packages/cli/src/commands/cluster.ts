import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Cluster, ClusterConfig, ClusterNode, ClusterProvider, PortMapping } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { byteSize, type Configure, duration, notEmpty, portMapping, positiveNumber } from "../command.ts";
import { readInput } from "../files.ts";
import { oneProvider } from "../locate.ts";
import type { Column } from "../output.ts";
import { printable } from "../printable.ts";
import { formatByteSize } from "../quantities.ts";
import type { Session } from "../session.ts";
import type { World } from "../world.ts";

interface CreateFlags {
  readonly nodes?: number;
  readonly image?: string;
  readonly cpus?: number;
  readonly memory?: number;
  readonly port?: readonly PortMapping[];
  readonly waitTimeout?: number;
  /** False for `--no-kubeconfig`. */
  readonly kubeconfig?: string | boolean;
  readonly useContext?: boolean;
  readonly retain?: boolean;
}
interface ExecFlags {
  readonly stdin?: boolean;
}

const COLUMNS: readonly Column<ClusterNode>[] = [
  { title: "CLUSTER", text: (node) => node.cluster },
  { title: "NODE", text: (node) => node.id },
  { title: "ROLE", text: (node) => node.role },
  { title: "STATUS", text: (node) => node.status },
  { title: "ADDRESS", text: (node) => node.address ?? "" },
  { title: "IMAGE", text: (node) => node.image },
];

export const configure: Configure = (command, run) => {
  const creates = command
    .command("create")
    .description("make a Kubernetes cluster, or complete one that is half made")
    .argument("<name>", "lower-case letters, digits and dashes")
    .option("--nodes <count>", "how many nodes, the control plane among them (default: 1)", positiveNumber)
    .option("--image <reference>", "the node image (default: the provider's)", notEmpty)
    .option("--cpus <count>", "per node", positiveNumber)
    .option("--memory <size>", `per node, at least ${formatByteSize(4 * 1024 ** 3)}`, byteSize)
    .option("-p, --port <host:node>", "a port of the control plane, and where it appears on 127.0.0.1", portMapping)
    .option("--wait-timeout <duration>", "how long to wait for the API server (default: 5m)", duration)
    .option(
      "--kubeconfig <path>",
      "where the kubeconfig is merged (default: $KUBECONFIG, else ~/.kube/config)",
      notEmpty,
    )
    .option("--no-kubeconfig", "merge no kubeconfig")
    .option("--use-context", "make the cluster the current context of that kubeconfig")
    .option("--retain", "keep what was made when a step fails");
  run<CreateFlags>(creates, create);
  run(command.command("list").description("show your clusters and their nodes"), list);
  const deletes = command.command("delete").description("delete clusters, and their part of the kubeconfig");
  run(deletes.argument("<name...>", "the clusters"), remove);
  const tells = command.command("endpoint").description("print the URL of the API server");
  run(tells.argument("<name>", "the cluster"), endpoint);
  const execs = command
    .command("exec")
    .description("run a command in a node")
    .argument("<cluster-or-node>", "a cluster's name means its control plane")
    .argument("<command...>", "the program and its arguments; no shell reads them")
    .option("-i, --stdin", "hand this command's stdin on, to its end; text, not bytes");
  run<ExecFlags>(execs, exec);
  const prints = command.command("kubeconfig").description("print a kubeconfig for one cluster; it is a secret");
  run(prints.argument("<name>", "the cluster"), kubeconfig);
};

/** The clusters of the provider that the command is about. */
async function clusters(session: Session): Promise<ClusterProvider> {
  const { provider, registration } = await oneProvider(session);
  if (registration.cluster !== undefined) return registration.cluster;
  const hint = "Name a provider that makes clusters, as --provider apple-container.";
  throw new CliError("UNSUPPORTED", `${provider.name} makes no clusters`, hint);
}

async function create(session: Session, [name = ""]: readonly string[], flags: CreateFlags): Promise<void> {
  const provider = await clusters(session);
  const path = kubeconfigPath(session.world, flags.kubeconfig);
  const config: ClusterConfig = {
    name,
    nodes: flags.nodes,
    image: flags.image,
    cpus: flags.cpus,
    memoryBytes: flags.memory,
    portMappings: flags.port,
    waitTimeoutMs: flags.waitTimeout,
    kubeconfigPath: path,
    currentContext: flags.useContext,
    retain: flags.retain,
  };
  const onStep = ({ title }: { readonly title: string }): void => session.progress.detail(title);
  const work = (): Promise<Cluster> => provider.provision(withoutAbsent(config), { ...session.call, onStep });
  const cluster = await session.progress.during(`making cluster ${printable(name)}`, work);
  const url = await provider.getApiServerEndpoint(cluster, session.call);
  if (session.json) return session.output.document({ ...cluster, endpoint: url });
  session.output.list(cluster.nodes, COLUMNS, "");
  session.output.fields([
    ["API server", url],
    ["Kubeconfig", path],
    ["Delete it", `slipway cluster delete ${cluster.name} --provider ${provider.name}`],
  ]);
  if (path !== undefined) session.output.note(`\nTry: kubectl --context slipway-${cluster.name} get nodes`);
}

/** A strict provider takes an option that is there without a value for one that is asked for. */
function withoutAbsent(config: ClusterConfig): ClusterConfig {
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  // The same members, but for those that were undefined.
  return Object.fromEntries(entries) as unknown as ClusterConfig;
}

function kubeconfigPath(world: World, flag: string | boolean | undefined): string | undefined {
  if (flag === false) return undefined;
  if (typeof flag === "string") return isAbsolute(flag) ? flag : resolve(world.cwd, flag);
  // It may be a list: kubectl writes to the first.
  const first = (world.env["KUBECONFIG"] ?? "").split(delimiter).find((path) => path !== "");
  return first ?? join(world.env["HOME"] ?? homedir(), ".kube", "config");
}

async function list(session: Session): Promise<void> {
  const all = await (await clusters(session)).listClusters(session.call);
  if (session.json) return session.output.document(all);
  const nodes = all.flatMap((cluster) => cluster.nodes);
  session.output.list(nodes, COLUMNS, "No clusters.");
}

async function remove(session: Session, names: readonly string[]): Promise<void> {
  const provider = await clusters(session);
  for (const name of names) {
    const nodes = await provider.listNodes({ name }, session.call);
    const work = (): Promise<void> => provider.deleteNodes(nodes, session.call);
    await session.progress.during(`deleting cluster ${printable(name)}`, work);
    const said = nodes.length === 0 ? "was not there" : "is deleted";
    if (!session.json) session.output.text(`${printable(name)} ${said}`);
  }
  if (session.json) session.output.document(names.map((name) => ({ name, result: "deleted" })));
}

async function endpoint(session: Session, [name = ""]: readonly string[]): Promise<void> {
  const url = await (await clusters(session)).getApiServerEndpoint({ name }, session.call);
  if (session.json) session.output.document({ name, endpoint: url });
  else session.output.text(url);
}

async function exec(session: Session, [word = "", ...argv]: readonly string[], flags: ExecFlags): Promise<number> {
  const provider = await clusters(session);
  const nodeId = (await controlPlane(session, provider, word))?.id ?? word;
  const { output } = session;
  const result = await provider.execInContainer(nodeId, argv, {
    ...session.call,
    ...(flags.stdin === true ? { stdin: await readInput(session.world, "-", "the input on") } : {}),
    ...(session.json
      ? {}
      : { onStdout: (chunk: string) => output.raw(chunk), onStderr: (chunk: string) => output.rawError(chunk) }),
  });
  if (session.json) output.document(result);
  return result.exitCode;
}

async function controlPlane(
  session: Session,
  provider: ClusterProvider,
  name: string,
): Promise<ClusterNode | undefined> {
  const nodes = await provider.listNodes({ name }, session.call);
  return nodes.find(({ role }) => role === "control-plane");
}

const ADMIN_CONF = "/etc/kubernetes/admin.conf";

async function kubeconfig(session: Session, [name = ""]: readonly string[]): Promise<void> {
  const provider = await clusters(session);
  // NOT_FOUND or INVALID_STATE, with what to do, where there is none that runs.
  const url = await provider.getApiServerEndpoint({ name }, session.call);
  const plane = await controlPlane(session, provider, name);
  const { exitCode, stdout, stderr } = await provider.execInContainer(
    plane?.id ?? "",
    ["cat", ADMIN_CONF],
    session.call,
  );
  if (exitCode !== 0) {
    const hint = "Provision it again with its own config: it completes what is half made.";
    throw new CliError("NOT_FOUND", `cluster ${name} has no kubeconfig yet: ${stderr.trim()}`, hint);
  }
  const { kubeconfigText } = await import("@slipway/provider-kit/cluster");
  const text = kubeconfigText({
    clusterName: name,
    owner: provider.owner,
    admin: stdout,
    endpoint: url,
    currentContext: true,
  });
  if (session.json) session.output.document({ name, kubeconfig: text });
  else session.output.remote(text);
}
