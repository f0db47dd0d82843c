export { missingTools, type SlurmCluster, type SlurmClusterOptions, slurmCluster } from "./slurm-cluster.ts";
