import type { InstanceBase } from "@slipway/provider-kit/driver";
import type { SlurmConfig } from "../src/index.ts";
import type { Job } from "../src/wire.ts";

/** A running job of the default partition, with what is given in its place. */
export function job(given: Partial<Job> = {}): Job {
  return {
    cluster: "c",
    number: "7",
    submitted: "1700000000",
    name: "slip-a",
    state: "RUNNING",
    reason: "None",
    partition: "main",
    nodes: "n1",
    cpus: "1",
    memory: "64M",
    gres: "N/A",
    account: "(null)",
    qos: "N/A",
    started: "1700000001",
    ended: "1700003601",
    used: "0:10",
    comment: "(null)",
    isDismissed: false,
    ...given,
  };
}

export const base: InstanceBase = {
  id: "c/7@1700000000",
  nativeId: "7",
  provider: "slurm",
  status: "running",
  key: "a",
  owner: "tests",
  labels: {},
  specHash: "h",
};

export const remote: { readonly config: SlurmConfig } = { config: { preemptiblePartitions: ["spot"] } };
