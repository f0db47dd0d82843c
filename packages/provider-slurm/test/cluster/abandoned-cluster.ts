// A process that starts a cluster with a job in it, says where it is, and then waits to be killed.
import { setTimeout as pause } from "node:timers/promises";
import { slurmCluster } from "../../src/testing/index.ts";

const cluster = await slurmCluster();
await cluster.run("sbatch", "--output=/dev/null", "--wrap=trap '' TERM HUP INT; sleep 600; sleep 600");
while (!(await cluster.run("squeue", "-h", "-o", "%T")).includes("RUNNING")) await pause(100);
process.send?.(cluster.directory);
setInterval(() => undefined, 60_000);
