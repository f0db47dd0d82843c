// A process that makes a cluster on an emulated Mac and tells each step as it begins. To be killed.
// `provision-once.ts <directory of the Mac> <owner> <kubeconfig>`.
import { soakCluster } from "./soak-cluster.ts";

const [directory = "", owner = "", kubeconfigPath = ""] = process.argv.slice(2);

const { cluster, config } = await soakCluster(directory, owner, kubeconfigPath);
process.stdout.write("step ready\n");
await cluster.provision(config, { onStep: ({ name }) => process.stdout.write(`step ${name}\n`) });
process.stdout.write("step finished\n");
