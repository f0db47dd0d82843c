import type { NetworkOptions, Operation, Port, ResourceOptions, SpawnOptions, VolumeMount } from "@slipway/core";
import type { SpawnRequest } from "@slipway/provider-kit/driver";
import { type AppleContainerContext, newGeneration } from "./context.ts";
import { refusal } from "./errors.ts";
import { IMAGE } from "./options.ts";
import { labelsFor } from "./tags.ts";

export type AppleContainerCapability = "idempotentSpawn" | "persistentVolumes" | "customNetworking";
export type AppleContainerSpawnOptions = SpawnOptions<AppleContainerCapability>;

export const MAX_LABELS = 64;
export const NAME_MAX_LENGTH = 128;

const MEBIBYTE = 1024 ** 2;
const LEAST_MEMORY_BYTES = 200 * MEBIBYTE;
// The command's own limit.
const MAX_PORTS = 64;
const NETWORK = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** A spawn as far as it can be checked without a command. */
export interface Prepared {
  readonly image: string;
  readonly generation: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resources: ResourceOptions;
  readonly ports: readonly Port[];
  readonly volumes: readonly VolumeMount[];
  /** As the command takes it. */
  readonly network: string | undefined;
}

/** Throws INVALID_SPEC, or UNSUPPORTED, for what core's and the kit's own checks cannot know. */
export function prepare(
  context: AppleContainerContext,
  operation: Operation,
  { options, ownership, script }: SpawnRequest<AppleContainerSpawnOptions>,
): Prepared {
  const { image = context.image, resources = {}, ports = [], volumes = [] } = options;
  const wrong = (message: string): Error => refusal("INVALID_SPEC", operation, message);
  if (!IMAGE.test(image)) throw wrong(`image ${JSON.stringify(image)} is no image's reference`);
  if (resources.diskBytes !== undefined) {
    throw refusal("UNSUPPORTED", operation, "resources.diskBytes cannot be set: every container has a sparse disk", {
      hint: "Use a volume where a size matters.",
    });
  }
  const fault = resourceFault(resources) ?? portFault(ports) ?? mountFault(volumes) ?? networkFault(options.network);
  if (fault !== null) throw wrong(fault);
  const network = networkOf(options.network);
  if (network === "none" && ports.length > 0) throw wrong("ports need a network, and network.isolated gives none");
  const generation = newGeneration();
  const tags = { ...ownership, generation, bootstrap: script?.stableChecksum ?? script?.checksum };
  return { image, generation, labels: labelsFor(tags, ownership.labels), resources, ports, volumes, network };
}

function resourceFault({ cpus, memoryBytes }: ResourceOptions): string | null {
  if (cpus !== undefined && !Number.isInteger(cpus)) return `resources.cpus is ${cpus}, and must be a whole number`;
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY_BYTES) {
    return `resources.memoryBytes is ${memoryBytes}, and a container has at least ${LEAST_MEMORY_BYTES} (200 MiB)`;
  }
  return null;
}

function portFault(ports: readonly Port[]): string | null {
  if (ports.length > MAX_PORTS) return `ports has ${ports.length} entries, and container takes ${MAX_PORTS}`;
  const outside = ports
    .filter(({ hostPort }) => hostPort !== undefined)
    .map(({ hostPort, protocol = "tcp" }) => `${hostPort}/${protocol}`);
  const twice = outside.find((each, at) => outside.indexOf(each) !== at);
  return twice === undefined ? null : `ports gives the host's ${twice} twice`;
}

function mountFault(volumes: readonly VolumeMount[]): string | null {
  for (const { id, mountPath } of volumes) {
    const parts = mountPath.split("/").slice(1);
    // A colon or a comma would be read as the beginning of options.
    if (/[:,\p{Cc}]/u.test(mountPath) || parts.some((part) => part === "" || part === "." || part === "..")) {
      return `the mountPath ${JSON.stringify(mountPath)} is no plain absolute path`;
    }
    if (volumes.filter((other) => other.id === id || other.mountPath === mountPath).length > 1) {
      return `volumes has ${JSON.stringify(id)} or ${JSON.stringify(mountPath)} twice`;
    }
  }
  return null;
}

function networkFault(network: NetworkOptions | undefined): string | null {
  if (network === undefined) return null;
  for (const name of ["subnet", "firewalls"] as const) {
    if (network[name] !== undefined) return `network.${name} is not known here: make the network first, and name it`;
  }
  if (network.id === undefined) return null;
  if (network.isolated === true) return "network.id and network.isolated exclude each other";
  return NETWORK.test(network.id) ? null : `network.id ${JSON.stringify(network.id)} is no network's name`;
}

function networkOf(network: NetworkOptions | undefined): string | undefined {
  return network?.isolated === true ? "none" : network?.id;
}
