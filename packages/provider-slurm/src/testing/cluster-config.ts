import { accountingLines } from "./accounting.ts";

export interface ClusterConfig {
  readonly directory: string;
  readonly host: string;
  readonly controllerPort: number;
  /** One per node: four with CPUs alone, two with GPUs. */
  readonly nodePorts: readonly number[];
  readonly enforcePartLimits: "ALL" | "NO";
  readonly messageTimeoutSeconds: number;
  /** The port of slurmdbd; undefined: no accounting. */
  readonly accountingPort: number | undefined;
}

export const CPU_NODES = ["n1", "n2", "n3", "n4"] as const;
export const GPU_NODES = ["g1", "g2"] as const;

/** slurm.conf for several nodes on this machine, without cgroups. */
export function slurmConf(config: ClusterConfig): string {
  const { directory, host, controllerPort, nodePorts, enforcePartLimits, messageTimeoutSeconds, accountingPort } =
    config;
  const nodes = [...CPU_NODES, ...GPU_NODES].map((name, index) => {
    const gres = name.startsWith("g") ? " Gres=gpu:test:2" : "";
    const at = `NodeHostname=${host} NodeAddr=127.0.0.1 Port=${nodePorts[index]}`;
    return `NodeName=${name} ${at} CPUs=4 RealMemory=4000${gres} State=UNKNOWN`;
  });
  const cpu = CPU_NODES.join(",");
  const all = [...CPU_NODES, ...GPU_NODES].join(",");
  return `${[
    "ClusterName=slipway",
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${controllerPort}`,
    "SlurmUser=root",
    "SlurmdUser=root",
    "AuthType=auth/munge",
    `AuthInfo=socket=${directory}/munge.socket`,
    `StateSaveLocation=${directory}/state`,
    `SlurmdSpoolDir=${directory}/spool-%n`,
    `SlurmctldPidFile=${directory}/slurmctld.pid`,
    `SlurmdPidFile=${directory}/slurmd-%n.pid`,
    `SlurmctldLogFile=${directory}/slurmctld.log`,
    `SlurmdLogFile=${directory}/slurmd-%n.log`,
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "JobAcctGatherType=jobacct_gather/none",
    "SwitchType=switch/none",
    "MpiDefault=none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_Core_Memory",
    "DefMemPerCPU=64",
    "SlurmdParameters=config_overrides",
    "SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1,batch_sched_delay=0",
    "MinJobAge=30",
    "KillWait=2",
    "SlurmdTimeout=30",
    `MessageTimeout=${messageTimeoutSeconds}`,
    "PreemptType=preempt/partition_prio",
    "PreemptMode=REQUEUE",
    "ReturnToService=2",
    "PropagateResourceLimits=NONE",
    `EnforcePartLimits=${enforcePartLimits}`,
    "GresTypes=gpu",
    ...(accountingPort === undefined ? [] : accountingLines(directory, accountingPort)),
    ...nodes,
    `PartitionName=main Nodes=${all} Default=YES PriorityTier=10 MaxTime=7-00:00:00 DefaultTime=1:00:00 State=UP`,
    `PartitionName=spotkill Nodes=${cpu} PriorityTier=1 PreemptMode=CANCEL DefaultTime=1:00:00 State=UP`,
    `PartitionName=short Nodes=${cpu} PriorityTier=10 MaxTime=2 DefaultTime=1 State=UP`,
    `PartitionName=down Nodes=${cpu} State=DOWN`,
  ].join("\n")}\n`;
}

/** Plain files stand for devices: a count without files leaves the node invalid. */
export function gresConf(directory: string): string {
  return GPU_NODES.map((name) => `NodeName=${name} Name=gpu Type=test File=${directory}/gpu-${name}-[0-1]\n`).join("");
}
