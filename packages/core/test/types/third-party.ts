// A third party's capability: merged into the map, described at run time, and then as good as one of the eleven.
import {
  accepts,
  type Capability,
  type CapabilityCase,
  type CapabilityDefinition,
  type CapabilityMethodName,
  defineCapability,
  defineProvider,
  type Instance,
  type Provider,
  type Snapshot,
  supports,
} from "@slipway/core";
import { erased, lambda } from "./subject.ts";

export interface CheckpointMethods {
  readonly checkpoint: (instanceId: string) => Promise<{ readonly checkpointId: string }>;
}
export interface CheckpointOptions {
  readonly id: string;
}
declare module "@slipway/core" {
  interface CapabilityMap<T> {
    readonly checkpoint: { methods: CheckpointMethods; spawn: { fromCheckpoint: CheckpointOptions } };
  }
}

export const name: Capability = "checkpoint";
export const method: CapabilityMethodName = "checkpoint";
export const definition = defineCapability({
  name: "checkpoint",
  description: "Freezes a running instance to disk.",
  options: { spawn: ["fromCheckpoint"] },
  methods: { checkpoint: "plain" },
  cases: [
    {
      id: "checkpoint.restores",
      title: "begins where it was frozen",
      run: async ({ provider, spawnOptions }) => {
        const { id } = await provider.spawn(spawnOptions());
        const { checkpointId } = await provider.checkpoint(id);
        await provider.spawn({ ...spawnOptions(), fromCheckpoint: { id: checkpointId } });
        // @ts-expect-error the method of another capability
        await provider.createSnapshot(id, { key: "s" });
        // @ts-expect-error the option of another capability
        await provider.spawn({ ...spawnOptions(), gpu: { count: 1 } });
      },
    },
  ],
});
// A case that needs the core's methods alone is a case of any capability.
const spawns: CapabilityCase = { id: "spawns", title: "spawns", run: async ({ provider }) => void provider.list() };
export const plain = { ...definition, cases: [spawns] } satisfies CapabilityDefinition;
export const again: CapabilityDefinition = defineCapability({ ...definition, name: "checkpoint", cases: [spawns] });
// @ts-expect-error nobody merged it
defineCapability({ name: "teleport", description: "", options: {}, methods: {}, cases: [] });

export function guarded(): void {
  if (supports(erased, "checkpoint", "gpu")) {
    void erased.checkpoint("i");
    void erased.spawn({ fromCheckpoint: { id: "c" }, gpu: { count: 1 } });
  }
  // @ts-expect-error off where the type does not name it, as a builtin is
  void lambda.checkpoint("i");
  // @ts-expect-error and its option
  void lambda.spawn({ fromCheckpoint: { id: "c" } });
  if (accepts(lambda, { fromCheckpoint: { id: "c" } })) return;
}

type CriuProvider = Provider<Instance, Snapshot, "checkpoint">;
declare const five: Pick<CriuProvider, "spawn" | "terminate" | "list" | "get" | "generateBootstrap">;
declare const checkpoint: CheckpointMethods["checkpoint"];
const limits = { maxUserDataBytes: 1, maxLabels: 1, nameMaxLength: 1, readAfterWriteMs: 0, requestLifeMs: 0 };
const about = { name: "criu", owner: "o", tier: "testing", limits, ...five } as const;
export const criu: CriuProvider = defineProvider<CriuProvider>(
  { ...about, checkpoint, capabilities: { checkpoint: true } },
  { capabilityDefinitions: [definition] },
);
export const top: Provider = criu;
// @ts-expect-error its flag is demanded
defineProvider<CriuProvider>({ ...about, checkpoint, capabilities: {} });
// @ts-expect-error and its method
defineProvider<CriuProvider>({ ...about, capabilities: { checkpoint: true } });
