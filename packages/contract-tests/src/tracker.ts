import { type ClusterProvider, type Layer, layer, type MakingOperation, type Provider } from "@slipway/core";
import { type Census, missingFrom, takeCensus } from "./census.ts";
import type { Harness } from "./harness.ts";
import { eventually, type Patience } from "./waiting.ts";

type Undo = (provider: Provider, id: string) => Promise<unknown>;

const call =
  (name: string): Undo =>
  async (provider, id) => {
    const method: unknown = Reflect.get(provider, name);
    if (typeof method === "function") await method(id);
  };

// How each thing that a method makes is taken away again. Spawns are found by list, since one may answer nothing.
const UNDO_OF: { readonly [N in MakingOperation]: { readonly field: string; readonly undo: readonly Undo[] } } = {
  spawn: { field: "id", undo: [call("terminate")] },
  requestSpotInstance: { field: "requestId", undo: [call("cancelSpotRequest")] },
  createSnapshot: { field: "id", undo: [call("deleteSnapshot")] },
  createVolume: { field: "id", undo: [call("deleteVolume")] },
  warmVolume: { field: "id", undo: [call("releaseWarmVolume"), call("deleteVolume")] },
};
const UNDOS: Readonly<Record<string, (typeof UNDO_OF)["spawn"]>> = UNDO_OF;

// The inspector is asked all the time, the provider only where something has gone, or after a gap that doubles: on a remote
// that takes long to end things this is most of what a case asks.
const FIRST_GAP_MS = 20;

interface Made {
  readonly provider: Provider;
  readonly method: string;
  readonly id: string;
}

/** Remembers all that a case makes, and takes it away again. */
export interface Tracker {
  /** The provider, with every creation noted. It changes neither arguments nor answers. */
  readonly tracked: (provider: Provider) => Provider;
  /** The cluster provider, whose clusters are taken away too. */
  readonly clusters: (provider: ClusterProvider) => ClusterProvider;
  /** An unmanaged machine that the inspector made: it is nobody's leftover. */
  readonly unmanaged: (nativeId: string) => void;
  /** Ends all that was made; answers what the inspector still holds after that, in words. */
  readonly cleanUp: () => Promise<readonly string[]>;
}

export function tracker(harness: Harness, patience: Patience, before: Census): Tracker {
  const made: Made[] = [];
  const owners = new Map<string, Provider>();
  const unmanagedIds = new Set<string>();
  let clusters: ClusterProvider | undefined;

  const noting = (provider: Provider): Layer =>
    layer((operation, next) => {
      const undo = UNDOS[operation.operation];
      const answer = next();
      if (undo === undefined || !(answer instanceof Promise)) return answer;
      return answer.then((value: unknown) => {
        const id: unknown = typeof value === "object" && value !== null ? Reflect.get(value, undo.field) : undefined;
        if (typeof id === "string") made.push({ provider, method: operation.operation, id });
        return value;
      });
    });

  const endAll = async (): Promise<void> => {
    for (const provider of owners.values()) {
      const listed = await attempt(() => provider.list());
      for (const { id } of listed ?? []) made.push({ provider, method: "spawn", id });
    }
    // Instances first: what is attached to one cannot go before it.
    const order = Object.keys(UNDOS);
    const unique = new Map(made.map((thing) => [`${thing.method} ${thing.id}`, thing]));
    const things = [...unique.values()].sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    for (const { provider, method, id } of things) {
      for (const undo of UNDOS[method]?.undo ?? []) await attempt(() => undo(provider, id));
    }
  };

  const endClusters = async (): Promise<readonly string[]> => {
    if (clusters === undefined) return [];
    for (const { name, nodes } of await clusters.listClusters()) {
      await clusters.deleteNodes(nodes);
      await clusters.deleteNodes(await clusters.listNodes({ name }));
    }
    return (await clusters.listClusters()).map(({ name }) => `clusters: ${name}`);
  };

  const leftovers = async (): Promise<readonly string[]> => {
    const after = await takeCensus(harness.inspector);
    return (["instances", "snapshots", "volumes"] as const).flatMap((kind) =>
      [...missingFrom(before[kind], after[kind])].filter((id) => !unmanagedIds.has(id)).map((id) => `${kind}: ${id}`),
    );
  };

  return {
    tracked: (provider) => {
      if (!owners.has(provider.owner)) owners.set(provider.owner, provider);
      return noting(provider)(provider);
    },
    clusters: (provider) => {
      clusters = provider;
      return provider;
    },
    unmanaged: (nativeId) => {
      unmanagedIds.add(nativeId);
    },
    cleanUp: async () => {
      harness.faults?.clear();
      if (made.length === 0 && clusters === undefined && (await leftovers()).length === 0) return [];
      const { clock } = patience;
      // Before reads show what was written there is nothing new to ask for.
      let gap = Math.max(FIRST_GAP_MS, harness.registration.provider.limits.readAfterWriteMs);
      let next = clock.now();
      let ofClusters: readonly string[] = [];
      let seen: readonly string[] = [];
      return await eventually(
        patience,
        async () => {
          const now = clock.now() < next ? await leftovers() : null;
          if (now === null || now.join() !== seen.join()) {
            ofClusters = (await attempt(endClusters)) ?? ["clusters could not be read"];
            await endAll();
            seen = await leftovers();
            next = clock.now() + gap;
            gap *= 2;
          }
          return [...ofClusters, ...seen];
        },
        (left) => left.length === 0,
      );
    },
  };
}

/** Cleaning goes on whatever one call answers: the inspector has the last word. */
async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch {
    return undefined;
  }
}
