export { type KubernetesErrorRow, kubernetesErrorTable } from "./errors.ts";
export type { KubernetesInstance } from "./instance.ts";
export {
  configSchema,
  type KubernetesConfig,
  type KubernetesOptions,
  type PodSettings,
  type Toleration,
  type VolumeSettings,
} from "./options.ts";
export { PROFILES, type Profile, type ProfileName } from "./profiles.ts";
export { type KubernetesProvider, kubernetes } from "./provider.ts";
export { type KubernetesRegistration, register } from "./register.ts";
export type { KubernetesCapability, KubernetesSpawnOptions } from "./remote.ts";
