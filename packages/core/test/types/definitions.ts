// defineProvider: the written type demands the flags and the methods, and nothing else.
import { defineProvider, type ExecMethods, type Provider } from "@slipway/core";
import type { LambdaInstance, LambdaProvider, LocalProvider } from "./subject.ts";

declare const five: Pick<LambdaProvider, "spawn" | "terminate" | "list" | "get" | "generateBootstrap">;
declare const volumes: Pick<LambdaProvider, "createVolume" | "listVolumes" | "deleteVolume">;
declare const localFive: Pick<LocalProvider, "spawn" | "terminate" | "list" | "get" | "generateBootstrap">;
declare const snapshots: Pick<
  LocalProvider,
  "createSnapshot" | "getSnapshotStatus" | "deleteSnapshot" | "listSnapshots"
>;
const limits = { maxUserDataBytes: 1, maxLabels: 1, nameMaxLength: 1, readAfterWriteMs: 0, requestLifeMs: 0 };
const about = { name: "lambda", owner: "o", tier: "additional", limits } as const;

export const whole: LambdaProvider = defineProvider<LambdaProvider>({
  ...about,
  ...five,
  ...volumes,
  capabilities: { gpu: true, persistentVolumes: true, spot: false },
  whyNot: { spot: "Lambda sells no interruptible instances." },
  refuses: { labels: "Lambda keeps none." },
});

// The type may come from the return type alone.
export function factory(): LambdaProvider {
  return defineProvider({ ...about, ...five, ...volumes, capabilities: { gpu: true, persistentVolumes: true } });
}

export function withExtras(pause: LocalProvider["pause"], exec: ExecMethods["exec"]): LocalProvider {
  return defineProvider<LocalProvider>({
    ...about,
    ...localFive,
    ...snapshots,
    pause,
    exec,
    capabilities: { snapshots: true },
  });
}

// A capability that depends on the machine: two definitions, one public type that does not promise it.
export function machine(
  macOs: number,
  networks: Pick<Provider<LambdaInstance, never, "customNetworking">, "spawn" | "terminate" | "list" | "get">,
): Provider<LambdaInstance, never> {
  const { generateBootstrap } = five;
  return macOs >= 26
    ? defineProvider<Provider<LambdaInstance, never, "customNetworking">>({
        ...about,
        ...networks,
        generateBootstrap,
        capabilities: { customNetworking: true },
      })
    : defineProvider<Provider<LambdaInstance, never>>({
        ...about,
        ...networks,
        generateBootstrap,
        spawn: (options) => networks.spawn({ ...options, network: undefined }),
        capabilities: {},
      });
}

const parts = { ...about, ...five, ...volumes };
const on = { gpu: true, persistentVolumes: true } as const;
declare const maybe: boolean;
// @ts-expect-error a flag that the type names is missing
defineProvider<LambdaProvider>({ ...parts, capabilities: { gpu: true } });
// @ts-expect-error a flag that the type does not name
defineProvider<LambdaProvider>({ ...parts, capabilities: { ...on, spot: true } });
// @ts-expect-error a flag is a literal
defineProvider<LambdaProvider>({ ...parts, capabilities: { ...on, gpu: maybe } });
// @ts-expect-error an unknown flag
defineProvider<LambdaProvider>({ ...parts, capabilities: { gpu: true, persistentVolumes: true, gpus: true } });
// @ts-expect-error flag on, methods missing
defineProvider<LambdaProvider>({ ...about, ...five, capabilities: on });
// @ts-expect-error flag off, methods there, by a spread too
defineProvider<LambdaProvider>({ ...parts, ...snapshots, capabilities: on });
// @ts-expect-error whyNot explains what is off
defineProvider<LambdaProvider>({ ...parts, capabilities: on, whyNot: { gpu: "…" } });
// @ts-expect-error only a base option can be refused, and key is honoured by all
defineProvider<LambdaProvider>({ ...parts, capabilities: on, refuses: { key: "…" } });
// @ts-expect-error an owner is demanded
defineProvider<Provider>({ name: "x", tier: "testing", limits, ...five, capabilities: {} });
