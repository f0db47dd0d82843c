import { PROFILES, type Profile } from "@slipway/provider-kubernetes";
import { CATALOGUE } from "./catalogue.ts";

/** CoreWeave Kubernetes Service, as data. */
export const COREWEAVE_PROFILE: Profile = {
  ...PROFILES.coreweave,
  // Nodes in any other state are being tested or repaired, and take no customer's work.
  nodeLabels: { "node.coreweave.cloud/state": ["production"] },
  catalogue: CATALOGUE,
  preemptionLabel: "qos.coreweave.cloud/pending-preemption",
  // Distributed File Storage: any number of pods mount one volume.
  volumes: { storageClassName: "shared-vast", accessMode: "ReadWriteMany" },
};

/** For `pod.labels`: the pod is killed at once when CoreWeave needs its node. It costs no less for that. */
export const INTERRUPTIBLE: Readonly<Record<string, string>> = { "qos.coreweave.cloud/interruptable": "true" };

/** For `pod.labels`: the pod is ended when CoreWeave needs its node, and has its grace period. */
export const GRACEFULLY_INTERRUPTIBLE: Readonly<Record<string, string>> = {
  "qos.coreweave.com/graceful-interruptible": "true",
};
