import { type Cluster, type ClusterNode, type ClusterProvider, isProviderError } from "@slipway/core";
import type { Harness } from "../../src/harness.ts";
import { wrongly } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** Mutants of the group cluster. */
export const clusterMutants: MutantsOf<"cluster"> = {
  "cluster.provisioned": {
    does: "tells another owner",
    mutate: clustering((own) => ({
      provision: async (...args) => ({ ...(await own.provision(...args)), owner: "another" }),
    })),
  },
  "cluster.same-config": {
    does: "tells no nodes of a cluster that is there",
    mutate: clustering((own) => {
      const made = new Set<string>();
      return {
        provision: async (config, call) => {
          const cluster = await own.provision(config, call);
          const again = made.has(config.name);
          made.add(config.name);
          return again && (config.nodes ?? 1) === 1 ? { ...cluster, nodes: [] } : cluster;
        },
      };
    }),
  },
  "cluster.other-config": {
    does: "answers the cluster that has the name though its config is another",
    mutate: clustering((own) => ({
      provision: async (config, call) => {
        try {
          return await own.provision(config, call);
        } catch (error) {
          if (!isProviderError(error, "CONFLICT")) throw error;
          return await named(own, config.name);
        }
      },
    })),
  },
  "cluster.listed": {
    does: "loses a cluster where there are several",
    mutate: clustering((own) => ({
      listClusters: async (call) => {
        const all = await own.listClusters(call);
        return all.length > 1 ? all.slice(1) : all;
      },
    })),
  },
  "cluster.unknown": {
    does: "answers the nodes of every cluster for an unknown one",
    mutate: clustering((own) => ({
      listNodes: async (cluster, call) => {
        const nodes = await own.listNodes(cluster, call);
        return nodes.length > 0 ? nodes : (await own.listClusters()).flatMap((other) => other.nodes as ClusterNode[]);
      },
    })),
  },
  "cluster.nodes-deleted": {
    does: "forgets the first deletion",
    mutate: clustering((own) => {
      let calls = 0;
      return {
        deleteNodes: async (nodes, call) => {
          calls += 1;
          if (calls > 1 || call?.signal !== undefined) await own.deleteNodes(nodes, call);
        },
      };
    }),
  },
  "cluster.delete-repeated": {
    does: "rejects for a node that never was",
    mutate: clustering((own) => ({
      deleteNodes: async (nodes, call) => {
        if (nodes.some(({ id }) => id === "no-such-node")) throw wrongly("NOT_FOUND", "deleteNodes");
        await own.deleteNodes(nodes, call);
      },
    })),
  },
  "cluster.endpoint": {
    does: "answers a URL without TLS",
    mutate: clustering((own) => ({
      getApiServerEndpoint: async (...args) => (await own.getApiServerEndpoint(...args)).replace("https:", "http:"),
    })),
  },
  "cluster.exec": {
    does: "lets a shell split the arguments",
    mutate: clustering((own) => ({
      execInContainer: (node, argv, options) =>
        own.execInContainer(
          node,
          argv.map((argument) => argument.replace(/\$\(.*\)/, "")),
          options,
        ),
    })),
  },
  "cluster.exit-code": {
    does: "rejects for a non-zero exit",
    mutate: clustering((own) => ({
      execInContainer: async (...args) => {
        const result = await own.execInContainer(...args);
        if (result.exitCode !== 0) throw wrongly("INVALID_STATE", "execInContainer");
        return result;
      },
    })),
  },
  "cluster.exec-unknown": {
    does: "runs a command somewhere though the node is unknown",
    mutate: clustering((own) => ({
      execInContainer: async (node, argv, options) =>
        node === "no-such-node" ? { exitCode: 0, stdout: "", stderr: "" } : own.execInContainer(node, argv, options),
    })),
  },
  "cluster.completed": {
    does: "answers what is left of a cluster",
    mutate: clustering((own) => {
      const made = new Map<string, number | undefined>();
      return {
        provision: async (config, call) => {
          const left = await own.listNodes(config);
          const asBefore = made.get(config.name) === config.nodes && left.length < (config.nodes ?? 1);
          if (left.length > 0 && asBefore) return await named(own, config.name);
          made.set(config.name, config.nodes);
          return await own.provision(config, call);
        },
      };
    }),
  },
  "cluster.at-once": {
    does: "makes a second cluster for a call that comes while the first is under way",
    mutate: clustering((own) => {
      let under = 0;
      return {
        provision: async (config, call) => {
          under += 1;
          const name = under > 1 ? `${config.name}-${under}` : config.name;
          const made = await own.provision({ ...config, name }, call);
          under -= 1;
          return made;
        },
      };
    }),
  },
  "cluster.delete-one": {
    does: "deletes all nodes where one cluster's are named",
    mutate: clustering((own) => ({
      deleteNodes: async (nodes, call) => {
        const given = nodes.map(({ id }) => id);
        const others = (await own.listClusters()).filter(
          (cluster) => !cluster.nodes.some(({ id }) => given.includes(id)),
        );
        await own.deleteNodes(nodes, call);
        if (nodes.length > 0) await own.deleteNodes(others.flatMap((cluster) => cluster.nodes as ClusterNode[]));
      },
    })),
  },
  "cluster.refused-config": {
    does: "makes a cluster under a name that is none",
    mutate: clustering((own) => ({
      provision: (config, call) => own.provision({ ...config, name: config.name.toLowerCase() }, call),
    })),
  },
  "cluster.cancelled": {
    does: "minds no signal",
    mutate: clustering((own) => ({ deleteNodes: (nodes) => own.deleteNodes(nodes) })),
  },
  "cluster.not-an-instance": {
    does: "ends a node as if it were an instance",
    mutate: (harness: Harness) => {
      const { cluster, provider } = harness.registration;
      if (cluster === undefined || provider === undefined) return harness;
      const terminate: typeof provider.terminate = async (id, call) => {
        await cluster.deleteNodes([{ id }]);
        await provider.terminate(id, call);
      };
      return { ...harness, registration: { ...harness.registration, provider: { ...provider, terminate } } };
    },
  },
};

function clustering(change: (own: ClusterProvider) => Partial<ClusterProvider>): Mutate {
  return (harness: Harness) => {
    const { cluster } = harness.registration;
    if (cluster === undefined) return harness;
    return { ...harness, registration: { ...harness.registration, cluster: { ...cluster, ...change(cluster) } } };
  };
}

async function named(own: ClusterProvider, name: string): Promise<Cluster> {
  const found = (await own.listClusters()).find((cluster) => cluster.name === name);
  if (found === undefined) throw wrongly("NOT_FOUND", "provision");
  return found;
}
