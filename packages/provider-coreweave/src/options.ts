import {
  configSchema as clusterSchema,
  type KubernetesConfig,
  type KubernetesOptions,
} from "@slipway/provider-kubernetes";
import * as z from "zod/mini";

/** The settings that a config file may hold. */
export type CoreweaveConfig = Omit<KubernetesConfig, "profile">;
export type CoreweaveOptions = Omit<KubernetesOptions, "profile">;

export const configSchema: z.ZodMiniType<CoreweaveConfig> = clusterSchema.check(
  z.refine((config) => config.profile === undefined, { path: ["profile"], message: "is CoreWeave's own here" }),
);
