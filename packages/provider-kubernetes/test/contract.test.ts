import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { inject } from "vitest";
import { kubernetesHarness } from "./kubernetes-harness.ts";

describeProviderContract("kubernetes", kubernetesHarness(inject("cluster")));
