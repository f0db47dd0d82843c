import type { Cluster, ClusterConfig, ClusterNode } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { errorOf, must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";
import { eventually } from "../waiting.ts";

const ids = (things: readonly { readonly id: string }[]): readonly string[] => things.map(({ id }) => id).sort();
const heads = (nodes: readonly ClusterNode[]): readonly ClusterNode[] =>
  nodes.filter(({ role }) => role === "control-plane");
const UNKNOWN = { name: "no-such-cluster" };
const NOT_FOUND = { codes: ["NOT_FOUND"], effect: "none" } as const;
const TRICKY = ["a b", "$(exit 3)", "'quoted'", "`x`", "*", "semi;colon"];
let clusters = 0;

export const clusterRules: Rules<"CLUSTER"> = {
  "CLUSTER-01":
    "`provision` answers a cluster of this owner with the nodes that were asked for, one of them the control plane.",
  "CLUSTER-02":
    "The same config again answers the same cluster, completes what is missing of it, and makes nothing twice.",
  "CLUSTER-03": "Another config under the same name is CONFLICT with effect `none`.",
  "CLUSTER-04": "`listClusters` and `listNodes` are complete and agree; an unknown cluster has no nodes.",
  "CLUSTER-05":
    "`deleteNodes` removes the nodes and no others, and resolves for an empty list and for nodes that are gone.",
  "CLUSTER-06": "`getApiServerEndpoint` answers an https URL; an unknown cluster is NOT_FOUND.",
  "CLUSTER-07":
    "`execInContainer` takes an argument list and no shell, and a non-zero exit is a result; an unknown node is NOT_FOUND.",
  "CLUSTER-08": "Calls at once with the same config make one cluster.",
  "CLUSTER-09": "A config that nobody could make is INVALID_SPEC with effect `none`, and nothing is made.",
  "CLUSTER-10":
    "A call whose signal is aborted rejects with CANCELLED and the true effect; one that was aborted before it began does nothing.",
  "CLUSTER-11": "A node is never an instance: `list` does not show it, and `terminate` does not end it.",
};

/** Kubernetes clusters on one runtime. */
export const clusterCases: Cases<"cluster"> = {
  "cluster.provisioned": {
    title: "makes a cluster of this owner with the nodes asked for",
    rules: ["CLUSTER-01"],
    run: async (context) => {
      const { cluster, config } = await provisioned(context);
      mustHaveShape("CLUSTER-01", cluster, "cluster");
      for (const node of cluster.nodes) mustHaveShape("CLUSTER-01", node, "node");
      mustEqual("CLUSTER-01", "its name", cluster.name, config.name, "Keep the name.");
      mustEqual("CLUSTER-01", "its owner", cluster.owner, context.cluster().owner, "Tag it with the owner.");
      mustEqual("CLUSTER-01", "the number of nodes", cluster.nodes.length, config.nodes ?? 1, "Make that many.");
      must(heads(cluster.nodes).length >= 1, "CLUSTER-01", "there is no control plane", "Make the first node one.");
    },
  },
  "cluster.same-config": {
    title: "answers the same cluster for the same config",
    rules: ["CLUSTER-02"],
    run: async (context) => {
      const { cluster, config } = await provisioned(context);
      const again = await context.cluster().provision(config);
      mustEqual("CLUSTER-02", "its nodes", ids(again.nodes), ids(cluster.nodes), "Complete what is there.");
      const all = await context.cluster().listClusters();
      mustEqual("CLUSTER-02", "the number of clusters", all.length, 1, "Make nothing twice.");
    },
  },
  "cluster.other-config": {
    title: "refuses another config under the same name",
    rules: ["CLUSTER-03"],
    run: async (context) => {
      const { cluster, config } = await provisioned(context);
      await mustReject(
        "CLUSTER-03",
        "another config under the same name",
        () => context.cluster().provision({ ...config, nodes: (config.nodes ?? 1) + 1 }),
        { codes: ["CONFLICT"], effect: "none" },
        "Keep the config with the cluster, and compare it.",
      );
      const nodes = await context.cluster().listNodes(cluster);
      mustEqual("CLUSTER-03", "the nodes after that", ids(nodes), ids(cluster.nodes), "Change nothing.");
    },
  },
  "cluster.listed": {
    title: "lists clusters and nodes that agree",
    rules: ["CLUSTER-04"],
    run: async (context) => {
      const [a, b] = [await provisioned(context), await provisioned(context)];
      const all = await context.cluster().listClusters();
      const names = all.map(({ name }) => name).sort();
      mustEqual("CLUSTER-04", "listClusters()", names, [a.cluster.name, b.cluster.name].sort(), "Find them by labels.");
      for (const cluster of all) {
        const nodes = await context.cluster().listNodes({ name: cluster.name });
        mustEqual("CLUSTER-04", `the nodes of ${cluster.name}`, ids(nodes), ids(cluster.nodes), "Read one source.");
      }
    },
  },
  "cluster.unknown": {
    title: "answers no nodes for a cluster that never was",
    rules: ["CLUSTER-04"],
    run: async (context) => {
      await provisioned(context);
      const nodes = await context.cluster().listNodes(UNKNOWN);
      mustEqual("CLUSTER-04", "its nodes", ids(nodes), [], "Find them by labels, and answer an empty list.");
    },
  },
  "cluster.nodes-deleted": {
    title: "removes the nodes that it is given",
    rules: ["CLUSTER-05"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const provider = context.cluster();
      await provider.deleteNodes(cluster.nodes);
      const left = await eventually(
        context,
        () => provider.listNodes(cluster),
        (nodes) => nodes.length === 0,
      );
      mustEqual("CLUSTER-05", "the nodes after that", ids(left), [], "Delete each.");
    },
  },
  "cluster.delete-repeated": {
    title: "resolves for no nodes, and for nodes that are gone",
    rules: ["CLUSTER-05"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const provider = context.cluster();
      for (const nodes of [[], cluster.nodes, cluster.nodes, [{ id: "no-such-node" }]]) {
        const outcome = await settled(() => provider.deleteNodes(nodes));
        const told = `deleteNodes(${shown(ids(nodes))}) rejects: ${shown(errorOf(outcome))}`;
        must(outcome.ok, "CLUSTER-05", told, "Take not-found as done.");
      }
    },
  },
  "cluster.endpoint": {
    title: "answers the https URL of the API server",
    rules: ["CLUSTER-06"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const endpoint = await context.cluster().getApiServerEndpoint(cluster);
      const right = URL.canParse(endpoint) && new URL(endpoint).protocol === "https:";
      must(right, "CLUSTER-06", `it is ${shown(endpoint)}`, "Answer an https URL that the host reaches.");
      const call = () => context.cluster().getApiServerEndpoint(UNKNOWN);
      await mustReject("CLUSTER-06", "the endpoint of an unknown cluster", call, NOT_FOUND, "Read it live.");
    },
  },
  "cluster.exec": {
    title: "hands arguments and stdin on as they are",
    rules: ["CLUSTER-07"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const node = cluster.nodes[0]?.id ?? "";
      const provider = context.cluster();
      const echoed = await provider.execInContainer(node, ["echo", ...TRICKY]);
      mustEqual("CLUSTER-07", "what echo prints", echoed.stdout.trimEnd(), TRICKY.join(" "), "Use no shell.");
      const chunks: string[] = [];
      const stdin = "first line\nsecond line\n";
      const read = await provider.execInContainer(node, ["cat"], { stdin, onStdout: (chunk) => chunks.push(chunk) });
      mustEqual("CLUSTER-07", "what cat prints", read.stdout, stdin, "Hand stdin on.");
      mustEqual("CLUSTER-07", "the chunks of stdout", chunks.join(""), stdin, "Call onStdout.");
    },
  },
  "cluster.exit-code": {
    title: "answers a non-zero exit as a result",
    rules: ["CLUSTER-07"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const outcome = await settled(() => context.cluster().execInContainer(cluster.nodes[0]?.id ?? "", ["false"]));
      must(outcome.ok, "CLUSTER-07", `it rejects: ${shown(errorOf(outcome))}`, "A non-zero exit is a result.");
      mustEqual("CLUSTER-07", "the exit code of false", outcome.value.exitCode, 1, "Answer the program's own.");
    },
  },
  "cluster.exec-unknown": {
    title: "runs nothing in a node that is not there",
    rules: ["CLUSTER-07"],
    run: async (context) => {
      const call = () => context.cluster().execInContainer("no-such-node", ["true"]);
      const next = "Look the node up among this owner's first.";
      await mustReject("CLUSTER-07", "a command in an unknown node", call, NOT_FOUND, next);
    },
  },
  "cluster.completed": {
    title: "completes a cluster of which a node is gone",
    rules: ["CLUSTER-02"],
    run: async (context) => {
      const provider = context.cluster();
      const { cluster, config } = await provisioned(context, { nodes: 2 });
      const worker = cluster.nodes.find(({ role }) => role === "worker");
      await provider.deleteNodes(worker === undefined ? [] : [worker]);
      await eventually(
        context,
        () => provider.listNodes(cluster),
        (nodes) => nodes.length === 1,
      );
      const again = await provider.provision(config);
      mustEqual("CLUSTER-02", "the number of its nodes", again.nodes.length, 2, "Make what is missing.");
      const now = ids(heads(again.nodes));
      mustEqual("CLUSTER-02", "its control plane", now, ids(heads(cluster.nodes)), "Keep what is there.");
    },
  },
  "cluster.at-once": {
    title: "makes one cluster of several calls at once",
    rules: ["CLUSTER-08"],
    run: async (context) => {
      const provider = context.cluster();
      const config = configOf(context);
      const made = await Promise.all([1, 2, 3].map(() => provider.provision(config)));
      const found = [...new Set(made.flatMap(({ nodes }) => ids(nodes)))];
      mustEqual("CLUSTER-08", "the nodes of all", found.length, config.nodes ?? 1, "Give a node a name of its own.");
      const listed = await provider.listNodes(config);
      mustEqual("CLUSTER-08", "the nodes that are there", ids(listed), found.sort(), "Make nothing twice.");
    },
  },
  "cluster.delete-one": {
    title: "leaves the other cluster alone",
    rules: ["CLUSTER-05"],
    run: async (context) => {
      const provider = context.cluster();
      const one = await provisioned(context);
      const other = await provisioned(context);
      await provider.deleteNodes(one.cluster.nodes);
      const left = await provider.listNodes(other.cluster);
      mustEqual("CLUSTER-05", "the other's nodes", ids(left), ids(other.cluster.nodes), "Delete only what was named.");
    },
  },
  "cluster.refused-config": {
    title: "refuses a config that nobody could make, and makes nothing",
    rules: ["CLUSTER-09"],
    run: async (context) => {
      const provider = context.cluster();
      for (const [what, config] of NO_CONFIGS) {
        // On purpose: what an untyped caller may send.
        const call = () => provider.provision(config as ClusterConfig);
        const next = "Check it by clusterConfigSchema of @slipway/core/schema.";
        await mustReject("CLUSTER-09", what, call, { codes: ["INVALID_SPEC"], effect: "none" }, next);
      }
      const all = await provider.listClusters();
      mustEqual("CLUSTER-09", "the clusters after that", all.length, 0, "Check before anything is made.");
    },
  },
  "cluster.cancelled": {
    title: "does nothing for a call that was aborted before it began",
    rules: ["CLUSTER-10"],
    run: async (context) => {
      const provider = context.cluster();
      const { cluster } = await provisioned(context);
      const signal = AbortSignal.abort();
      const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["provision", () => provider.provision(configOf(context), { signal })],
        ["listClusters", () => provider.listClusters({ signal })],
        ["listNodes", () => provider.listNodes(cluster, { signal })],
        ["deleteNodes", () => provider.deleteNodes(cluster.nodes, { signal })],
        ["getApiServerEndpoint", () => provider.getApiServerEndpoint(cluster, { signal })],
        ["execInContainer", () => provider.execInContainer(cluster.nodes[0]?.id ?? "", ["true"], { signal })],
      ];
      for (const [what, call] of calls) {
        const expected = { codes: ["CANCELLED"], effect: "none" } as const;
        await mustReject("CLUSTER-10", what, call, expected, "Look at the signal first; core's abortError says it.");
      }
      const names = (await provider.listClusters()).map(({ name }) => name);
      mustEqual("CLUSTER-10", "the clusters after that", names, [cluster.name], "Do nothing.");
      const nodes = await provider.listNodes(cluster);
      mustEqual("CLUSTER-10", "its nodes after that", ids(nodes), ids(cluster.nodes), "Do nothing.");
    },
  },
  "cluster.not-an-instance": {
    title: "shows no node among the instances, and ends none as one",
    rules: ["CLUSTER-11"],
    run: async (context) => {
      const { cluster } = await provisioned(context);
      const { provider } = context.harness.registration;
      if (provider === undefined) return;
      const listed = await provider.list({ owner: "*" });
      const nodes = ids(cluster.nodes);
      const shownAs = listed.filter(({ id, nativeId }) => nodes.includes(id) || nodes.includes(nativeId));
      mustEqual("CLUSTER-11", "the nodes that list() shows", ids(shownAs), [], "Look for an instance's own tags.");
      for (const id of nodes) await settled(() => provider.terminate(id));
      const left = await context.cluster().listNodes(cluster);
      mustEqual("CLUSTER-11", "the nodes after terminate()", ids(left), nodes, "End what bears an instance's tags.");
    },
  },
};

const NO_CONFIGS: readonly (readonly [string, object])[] = [
  ["a name with a capital", { name: "Upper" }],
  ["a name that is a path", { name: "../up" }],
  ["no node", { name: "none", nodes: 0 }],
  ["half a node", { name: "half", nodes: 1.5 }],
  ["an option that nobody knows", { name: "odd", nodse: 2 }],
];

function configOf(context: CaseContext, more: Partial<ClusterConfig> = {}): ClusterConfig {
  return { ...context.harness.clusterConfig?.(), ...more, name: `contract-${process.pid}-${++clusters}` };
}

async function provisioned(
  context: CaseContext,
  more: Partial<ClusterConfig> = {},
): Promise<{ readonly cluster: Cluster; readonly config: ClusterConfig }> {
  const config = configOf(context, more);
  return { cluster: await context.cluster().provision(config), config };
}
