// Starts the test cluster for a person, and says how it is reached. It ends with this program.
import { once } from "node:events";
import { startCluster } from "./test-cluster.ts";

console.log("starting …");
const { kubectl, version, close } = await startCluster();
console.log(`Kubernetes ${version} is ready, with one node.`);
console.log(`export ${kubectl[2]?.replace("--kubeconfig", "KUBECONFIG")}`);
console.log(`alias kubectl="${kubectl.slice(0, 2).join(" ")}"`);
console.log("Its one image is registry.test/machine:1. Press Ctrl-C to end it.");
const open = setInterval(() => undefined, 60_000);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
clearInterval(open);
await close();
