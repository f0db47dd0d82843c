// Builds the real servers where they are not there yet, so that the tests find them.
import { binaries } from "./binaries.ts";

const { kube, version } = await binaries();
console.log(`Kubernetes ${version}: ${kube}`);
