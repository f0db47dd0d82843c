import {
  type BootstrapMethods,
  type CallOptions,
  defineProvider,
  type ExecMethods,
  type LogMethods,
  type Provider,
  runtimeDefaults,
  type TerminalMethods,
} from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { detectIsolation, type IsolationReport } from "@slipway/provider-kit/sandbox";
import { volumeMethods } from "./capabilities/persistent-volumes.ts";
import { type LocalSnapshot, snapshotMethods } from "./capabilities/snapshots.ts";
import type { LocalContext } from "./context.ts";
import { PROVIDER_NAME, translated } from "./errors.ts";
import { execLocal, terminalLocal } from "./exec.ts";
import type { LocalInstance } from "./instance.ts";
import { logsLocal } from "./logs.ts";
import { getLocal, listLocal } from "./lookup.ts";
import { checkOptions, type LocalNetworkOptions, type LocalOptions } from "./options.ts";
import { MAX_BOOTSTRAP_BYTES, render, requestOf } from "./request.ts";
import { spawnLocal } from "./spawn.ts";
import { defaultStateDirectory, openState } from "./state/state.ts";
import { terminateLocal } from "./terminate.ts";

type Always = "snapshots" | "persistentVolumes" | "idempotentSpawn" | "terminateBy";

/** Instances as sandboxed process trees on this machine. */
export type LocalProvider = Provider<LocalInstance, LocalSnapshot, Always> &
  ExecMethods &
  TerminalMethods &
  LogMethods &
  BootstrapMethods;
/** The same, and an instance may have a network of its own. */
export type LocalNetworkProvider = Provider<LocalInstance, LocalSnapshot, Always | "customNetworking"> &
  ExecMethods &
  TerminalMethods &
  LogMethods &
  BootstrapMethods;

const DEFAULT_PATIENCE_MS = 60_000;
const MAX_LABELS = 64;
const NAME_MAX_LENGTH = 63;
// The init looks at the clock every ten seconds, since a machine may sleep, and its clock be set; a busy machine is slow.
const TERMINATE_LATE_MS = 30_000;

const WHY_NOT = {
  spot: "this machine is yours, so nobody takes its capacity back",
  gpu: "an instance sees no device of this machine",
  multiRegion: "there is this machine and no other place",
  warmVolumes: "a volume is a directory, and is as fast to make as to claim",
  hibernation: "the memory of a process tree cannot be kept here",
  costExplorer: "instances on this machine are not billed",
  tailscaleNative: "an instance shares this machine's network and has no interface for a tailnet",
} as const;
const NO_NETWORKS = "it depends on this machine: ask for it with local({ isolatedNetworks: true })";

const REFUSES = {
  spec: "there are no machine types here; an instance shares this machine",
  resources: "an instance shares this machine's processors, memory and disk, and no share of them is enforced",
  image: "an instance runs this machine's own system",
  ports:
    "an instance is on this machine's network, so every port that it opens is reachable already, under its own number",
  sshKeys: "no ssh server runs in an instance; use exec",
} as const;

/** A provider, and what its hooks need of it. */
export interface LocalParts {
  readonly provider: LocalProvider | LocalNetworkProvider;
  readonly context: LocalContext;
  readonly isolatedNetworks: boolean;
}

export function localParts(options: LocalOptions | LocalNetworkOptions): LocalParts {
  checkOptions(options);
  const context = contextOf(options);
  const isolatedNetworks = "isolatedNetworks" in options && options.isolatedNetworks;
  const whyNot = { ...WHY_NOT, customNetworking: NO_NETWORKS };
  const members = {
    ...membersOf(context),
    name: PROVIDER_NAME,
    owner: options.owner,
    tier: "testing",
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: NAME_MAX_LENGTH,
      readAfterWriteMs: 0,
      // The caller's own process does all the work.
      requestLifeMs: 0,
      terminateLateMs: TERMINATE_LATE_MS,
    },
    refuses: REFUSES,
  } as const;
  const flags = { snapshots: true, persistentVolumes: true, idempotentSpawn: true, terminateBy: true } as const;
  const settings = { runtime: options.runtime };
  const provider = isolatedNetworks
    ? defineProvider<LocalNetworkProvider>(
        { ...members, whyNot: WHY_NOT, capabilities: { ...flags, customNetworking: true } },
        settings,
      )
    : defineProvider<LocalProvider>({ ...members, whyNot, capabilities: flags }, settings);
  return { provider, context, isolatedNetworks };
}

function contextOf({ owner, stateDirectory, patienceMs, variables, runtime }: LocalOptions): LocalContext {
  const { clock, log } = runtimeDefaults(runtime);
  const directory = stateDirectory ?? defaultStateDirectory(variables);
  let report: Promise<IsolationReport> | undefined;
  return {
    owner,
    clock,
    log,
    state: openState({ directory, clock, patienceMs: patienceMs ?? DEFAULT_PATIENCE_MS }),
    isolation: async () => {
      report ??= detectIsolation({ variables });
      try {
        return await report;
      } catch (error) {
        throw translated(error, "spawn", "none");
      }
    },
  };
}

function membersOf(context: LocalContext) {
  return {
    spawn: (options: Parameters<typeof requestOf>[0]) => spawnLocal(context, requestOf(options)),
    terminate: (id: string, call?: Parameters<typeof terminateLocal>[2]) => terminateLocal(context, id, call),
    list: (filter?: Parameters<typeof listLocal>[1], call?: Parameters<typeof listLocal>[2]) =>
      listLocal(context, filter, call),
    get: (id: string) => getLocal(context, id),
    generateBootstrap: (config: Parameters<typeof render>[0]) => render(config, "generateBootstrap"),
    exec: (id: string, argv: readonly string[], options?: Parameters<typeof execLocal>[3]) =>
      execLocal(context, id, argv, options),
    terminalCommand: (id: string, argv: readonly string[]) => terminalLocal(context, id, argv),
    logs: (id: string, options?: Parameters<typeof logsLocal>[2]) => logsLocal(context, id, options),
    readBootstrap: (id: string, call?: CallOptions) =>
      readBootstrap(
        {
          provider: PROVIDER_NAME,
          get: (of) => getLocal(context, of),
          logs: (of, options) => logsLocal(context, of, options),
        },
        id,
        call,
      ),
    ...snapshotMethods(context),
    ...volumeMethods(context),
  };
}

/**
 * Instances as sandboxed process trees on this machine. Nothing is touched before the first call. With
 * `isolatedNetworks: true` an instance may be spawned with `network: { isolated: true }`, which needs bubblewrap.
 * Throws a TypeError for an owner or a directory that cannot be one.
 *
 * @example
 * ```ts
 * const machines = local({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1", bootstrap: { script: "echo ready" } });
 * await machines.terminate(id);
 * ```
 */
export function local(options: LocalNetworkOptions): LocalNetworkProvider;
export function local(options: LocalOptions): LocalProvider;
export function local(options: LocalOptions | LocalNetworkOptions): LocalProvider | LocalNetworkProvider {
  return localParts(options).provider;
}
