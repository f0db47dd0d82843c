import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { PROFILES, type ProfileName } from "./profiles.ts";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** A taint that the pod tolerates, as the Kubernetes API has it. */
export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: "Exists" | "Equal" | undefined;
  readonly value?: string | undefined;
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute" | undefined;
  readonly tolerationSeconds?: number | undefined;
}

/** What only a pod has. In the config it holds for every spawn; `spawn({ pod })` replaces it field by field. */
export interface PodSettings {
  /**
   * The program that the container runs, with its arguments, after the bootstrap if there is one. The pod ends with it.
   * Absent: it waits until it is terminated.
   */
  readonly command?: readonly string[] | undefined;
  /** Labels of the pod, as a queue or a cloud reads them. Slipway's own cannot be replaced. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly serviceAccountName?: string | undefined;
  /** Whether the pod gets a token for the Kubernetes API; false if absent. */
  readonly automountServiceAccountToken?: boolean | undefined;
  readonly imagePullSecrets?: readonly string[] | undefined;
  readonly priorityClassName?: string | undefined;
  readonly runtimeClassName?: string | undefined;
  readonly schedulerName?: string | undefined;
  /** How long its processes have between TERM and KILL, seconds; 30 if absent. */
  readonly terminationGracePeriodSeconds?: number | undefined;
}

export interface VolumeSettings {
  readonly storageClassName?: string | undefined;
  readonly accessMode?: "ReadWriteOnce" | "ReadWriteMany" | "ReadWriteOncePod" | undefined;
}

/** The settings that a config file may hold. */
export interface KubernetesConfig {
  /** One or several kubeconfig files, separated as in PATH. Absent: KUBECONFIG, ~/.kube/config, or the pod's own account. */
  readonly kubeconfig?: string | undefined;
  /** A context of the kubeconfig; its current one if absent. */
  readonly context?: string | undefined;
  /** Several contexts, each of them a region; a spawn without a region goes to the first. Replaces `context`. */
  readonly contexts?: readonly string[] | undefined;
  /** Where the pods are; the context's namespace if absent, else `default`. It has to exist. */
  readonly namespace?: string | undefined;
  /** The image of a spawn that names none. */
  readonly image?: string | undefined;
  /** What a spawn without `resources` gets; 1 processor and 1 GiB if absent. */
  readonly resources?: { readonly cpus?: number | undefined; readonly memoryBytes?: number | undefined } | undefined;
  /** By which labels the cluster's nodes tell their GPUs; `generic` if absent. */
  readonly profile?: ProfileName | undefined;
  readonly pod?: PodSettings | undefined;
  /** Of the claims that `createVolume` makes; the profile's, else the cluster's default class and `ReadWriteOnce`. */
  readonly volumes?: VolumeSettings | undefined;
}

export interface KubernetesOptions extends KubernetesConfig {
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_IMAGE = "docker.io/library/debian:stable-slim";
export const DEFAULT_GRACE_SECONDS = 30;
export const DEFAULT_CPUS = 1;
export const DEFAULT_MEMORY_BYTES: number = 1024 ** 3;

const name = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, "must be a Kubernetes name"));
const text = z.string().check(z.minLength(1), z.maxLength(4_096));

export const podSettingsSchema: z.ZodMiniType<PodSettings> = z.strictObject({
  command: z.optional(z.array(z.string().check(z.maxLength(131_072))).check(z.minLength(1))),
  labels: z.optional(z.record(z.string(), z.string())),
  nodeSelector: z.optional(z.record(z.string(), z.string())),
  tolerations: z.optional(
    z.array(
      z.strictObject({
        key: z.optional(text),
        operator: z.optional(z.enum(["Exists", "Equal"])),
        value: z.optional(z.string()),
        effect: z.optional(z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])),
        tolerationSeconds: z.optional(z.int()),
      }),
    ),
  ),
  serviceAccountName: z.optional(name),
  automountServiceAccountToken: z.optional(z.boolean()),
  imagePullSecrets: z.optional(z.array(name)),
  priorityClassName: z.optional(name),
  runtimeClassName: z.optional(name),
  schedulerName: z.optional(name),
  terminationGracePeriodSeconds: z.optional(z.int().check(z.nonnegative())),
});

export const configSchema: z.ZodMiniType<KubernetesConfig> = z.strictObject({
  kubeconfig: z.optional(text),
  context: z.optional(text),
  contexts: z.optional(
    z.array(text).check(
      z.minLength(1),
      z.refine((names) => new Set(names).size === names.length, "must not name a context twice"),
    ),
  ),
  namespace: z.optional(
    z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a namespace")),
  ),
  image: z.optional(text),
  resources: z.optional(
    z.strictObject({
      cpus: z.optional(z.number().check(z.positive())),
      memoryBytes: z.optional(z.int().check(z.positive())),
    }),
  ),
  profile: z.optional(z.enum(Object.keys(PROFILES) as [ProfileName, ...ProfileName[]])),
  pod: z.optional(podSettingsSchema),
  volumes: z.optional(
    z.strictObject({
      storageClassName: z.optional(name),
      accessMode: z.optional(z.enum(["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"])),
    }),
  ),
});
