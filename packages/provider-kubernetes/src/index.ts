export { type KubernetesErrorRow, kubernetesErrorTable } from "./errors.ts";
export type { KubernetesLogOptions } from "./inside/logs.ts";
export type { PortForward, PortForwardOptions } from "./inside/port-forward.ts";
export type { KubernetesInstance } from "./instance.ts";
export {
  configSchema,
  type KubernetesConfig,
  type KubernetesOptions,
  type PodSettings,
  type Toleration,
  type VolumeSettings,
} from "./options.ts";
export { type MachineCatalogue, type MachineType, PROFILES, type Profile, type ProfileName } from "./profiles.ts";
export {
  type KubernetesClusterProvider,
  type KubernetesFlavour,
  type KubernetesProvider,
  kubernetes,
  kubernetesParts,
} from "./provider.ts";
export { type KubernetesRegistration, register } from "./register.ts";
export type { KubernetesCapability, KubernetesSpawnOptions } from "./remote.ts";
