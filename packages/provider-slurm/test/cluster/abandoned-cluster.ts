// A process that starts a cluster with a job in it, says where it is, and then waits to be killed.
import { slurmCluster } from "../../src/testing/index.ts";

const cluster = await slurmCluster();
await cluster.run("sbatch", "--output=/dev/null", "--wrap=trap '' TERM HUP INT; sleep 600; sleep 600");
// The queue is in order: when this one has run, the one before runs.
await cluster.run("srun", "--ntasks=1", "true");
process.send?.(cluster.directory);
// Its parent never sends anything: the channel keeps it alive.
process.on("message", () => undefined);
