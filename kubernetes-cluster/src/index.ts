export { type Admin, type AdminAnswer, adminOf } from "./admin.ts";
export { minorBefore } from "./go-module.ts";
export { changedSettings, kernelSettings } from "./kernel-settings.ts";
export { killMain } from "./kill-main.ts";
export { kubeconfigOf } from "./kubeconfig.ts";
export { MACHINE_IMAGE } from "./node/images.ts";
export { GPU_PRODUCT } from "./node/node.ts";
export { MINOR_VARIABLE, type RunningCluster, startCluster, type TestCluster } from "./test-cluster.ts";
