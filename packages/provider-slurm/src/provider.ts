import {
  type BootstrapMethods,
  type ExecMethods,
  type LogMethods,
  type Provider,
  runtimeDefaults,
  type Snapshot,
  type WhyNot,
} from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { BASE_ENVIRONMENT, execOf } from "@slipway/provider-kit/command";
import { checkedOptions, type ProviderParts, providerFromDriver } from "@slipway/provider-kit/driver";
import { limits } from "@slipway/provider-kit/limits";
import { QUEUE_BUCKET, slurmClient } from "./client.ts";
import { slurmDriver } from "./driver.ts";
import { slurmHooks } from "./hooks.ts";
import { execInside, logsOf } from "./inside.ts";
import type { SlurmInstance } from "./instance.ts";
import { MAX_BOOTSTRAP_BYTES } from "./job-script.ts";
import { configSchema, type SlurmOptions } from "./options.ts";
import { PROVIDER, type SlurmCapability, type SlurmRemote } from "./remote.ts";
import { OWN_OPTIONS, type Prepared, type SlurmSpawnOptions } from "./request.ts";
import type { Job } from "./wire.ts";

/** Instances as jobs of one user on one Slurm cluster. */
export type SlurmProvider = Provider<SlurmInstance, Snapshot, SlurmCapability> &
  ExecMethods &
  LogMethods &
  BootstrapMethods & {
    /** As the contract's, with what `sbatch` takes beside. */
    readonly spawn: (options: SlurmSpawnOptions) => Promise<SlurmInstance>;
  };

const MAX_LABELS = 8;
const COMMAND_MS = 30_000;
// Slurm's own default where a site limits each user's requests (`rl_enable`): beyond it commands only become slow.
const QUEUE_READS = { capacity: 30, refillPerSecond: 2 };
const REASON_MS = 1_500;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Instances on a Slurm cluster. Throws INVALID_SPEC for options that are wrong; it runs nothing.
 *
 * @example
 * ```ts
 * const cluster = slurm({ owner: "me", partition: "gpu" });
 * const { id } = await cluster.spawn({ key: "worker-1", bootstrap: { script: "srun hostname" } });
 * await cluster.terminate(id);
 * ```
 */
export function slurm(options: SlurmOptions): SlurmProvider {
  return slurmParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function slurmParts(options: SlurmOptions): ProviderParts<SlurmProvider> {
  const remote = remoteOf(options);
  return providerFromDriver<SlurmProvider, Job, Prepared>({
    name: PROVIDER,
    owner: options.owner,
    tier: "additional",
    ownOptions: OWN_OPTIONS,
    capabilities: { gpu: true, idempotentSpawn: true, terminateBy: true },
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: 128,
      // One controller process orders all writes and answers all reads.
      readAfterWriteMs: 0,
      // The controller finishes what a client that was killed has sent.
      requestLifeMs: Math.max(60_000, options.commandTimeoutMs ?? COMMAND_MS),
      // It looks at time limits twice a minute, and lets a job have the site's KillWait (half a minute) to end.
      terminateLateMs: 120_000,
      // A partition says where, resources say how much of it.
      specTakesResources: true,
    },
    whyNot: WHY_NOT,
    refuses: {
      image: "Slurm starts containers only where the site has installed a plugin: start them in the bootstrap.",
      ports: "a job uses its node's network: the site decides which ports are open.",
      sshKeys: "no SSH server is started in a job; use exec.",
      maxUsdPerHour: "Slurm has no prices.",
    },
    driver: slurmDriver(remote),
    hooks: slurmHooks(remote),
    runtime: { ...options.runtime, clock: remote.clock },
    methods: ({ lifeCycle, timed }) => {
      const managed = lifeCycle.managed.bind(lifeCycle);
      const logs: LogMethods["logs"] = (id, given) => logsOf(remote, managed, id, given);
      const readable = { provider: PROVIDER, get: lifeCycle.get.bind(lifeCycle), logs };
      return {
        exec: (id, argv, given = {}) =>
          timed("exec", given, (call) => execInside(remote, managed, call, id, argv, given)),
        logs,
        readBootstrap: (id, call) => readBootstrap(readable, id, call),
      };
    },
  });
}

const WHY_NOT: WhyNot<SlurmCapability> = {
  snapshots: "a job has no disk of its own that could be saved.",
  persistentVolumes: "Slurm knows no volumes: keep data on the cluster's shared file system.",
  warmVolumes: "Slurm knows no volumes: keep data on the cluster's shared file system.",
  spot: "Slurm has no prices and no spot requests; a partition with preemption is asked for as spec.",
  multiRegion: "one provider is one cluster: make a provider for each.",
  hibernation: "only operators may suspend jobs.",
  costExplorer: "Slurm counts usage, not money.",
  tailscaleNative: "Slurm joins no tailnet, and a bootstrap in a job has no root rights to do it.",
  customNetworking: "a job uses its node's network.",
};

function remoteOf(options: SlurmOptions): SlurmRemote {
  const { runtime } = options;
  const checked = checkedOptions(PROVIDER, configSchema, options);
  const { clock, onEvent } = runtimeDefaults(runtime);
  const buckets = [{ operation: QUEUE_BUCKET, ...QUEUE_READS }];
  const defaults = { maxOutputBytes: MAX_OUTPUT_BYTES };
  // Only these variables pass: a stray SBATCH_* or SLURM_* would change what is asked for.
  const inherit = [...BASE_ENVIRONMENT, "SLURM_CONF", "SSH_AUTH_SOCK"];
  const exec = execOf(runtime, { provider: PROVIDER, inherit, defaults });
  return {
    client: slurmClient({
      exec,
      slurmConf: checked.slurmConf,
      commandPrefix: checked.commandPrefix,
      timeoutMs: checked.commandTimeoutMs ?? COMMAND_MS,
      clock,
      pacing: runtime?.limits ?? limits({ clock, onEvent, provider: PROVIDER, buckets }),
    }),
    clock,
    config: {
      ...checked,
      reasonTimeoutMs: checked.reasonTimeoutMs ?? REASON_MS,
      bootstrapDirectory: checked.bootstrapDirectory ?? "/tmp",
    },
  };
}
