import { describeProviderContract } from "@slipway/contract-tests/vitest";
import type {} from "slipway-kubernetes-cluster/global-setup";
import { inject } from "vitest";
import { kubernetesHarness } from "../../provider-kubernetes/test/kubernetes-harness.ts";
import manifest from "../package.json" with { type: "json" };
import { coreweave, register } from "../src/index.ts";

const COREWEAVE = {
  manifest,
  register,
  make: coreweave,
  gpuType: "H100",
  badConfigs: [{ namespace: "Not A Name" }, { profile: "generic" }, { kubeconfig: "" }],
  contexts: ["test", "test-1"],
};

describeProviderContract("coreweave", kubernetesHarness(inject("cluster"), { of: COREWEAVE }), { modes: ["plain"] });
