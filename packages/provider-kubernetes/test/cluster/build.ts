// Builds the real servers where they are not there yet, so that the tests find them.
import { binaries } from "./binaries.ts";

const { apiServer, version } = await binaries();
console.log(`kube-apiserver ${version}: ${apiServer}`);
