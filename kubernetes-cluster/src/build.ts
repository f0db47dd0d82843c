// `build.ts [1.36]`: builds the real servers where they are not there yet, so that the tests find them.
import { binaries } from "./binaries.ts";

const { kube, version } = await binaries(process.argv[2]);
console.log(`Kubernetes ${version}: ${kube}`);
