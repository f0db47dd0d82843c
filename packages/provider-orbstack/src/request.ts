import type { BootstrapScript, Operation, ResourceOptions, SpawnOptions } from "@slipway/core";
import type { SpawnRequest } from "@slipway/provider-kit/driver";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { canonicalImage, type ImageSpec, parseImage } from "./images.ts";
import type { Tag } from "./tags.ts";

export type OrbstackCapability = "idempotentSpawn" | "snapshots";
export type OrbstackSpawnOptions = SpawnOptions<OrbstackCapability>;

export const MAX_LABELS = 64;
export const NAME_MAX_LENGTH = 128;

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;
const LEAST_MEMORY_BYTES = 64 * MEBIBYTE;
const LEAST_DISK_BYTES = GIBIBYTE;

/** A spawn as far as it can be checked without a command. */
export interface OrbstackRequest {
  readonly key: string;
  /** The machine's name. */
  readonly name: string;
  readonly image: ImageSpec;
  readonly specHash: string;
  /** What is written inside, without the machine's id. */
  readonly tag: Omit<Tag, "id">;
  readonly script: BootstrapScript | undefined;
  readonly resources: ResourceOptions;
  readonly isolated: boolean;
  readonly fromSnapshot: string | undefined;
}

/** Throws INVALID_SPEC for what core's and the kit's own checks cannot know. */
export function prepare(
  context: Pick<OrbstackContext, "image" | "isolated">,
  operation: Operation,
  { options, key, name, specHash, ownership, script }: SpawnRequest<OrbstackSpawnOptions>,
): OrbstackRequest {
  const { resources = {}, fromSnapshot } = options;
  const wrong = (message: string): Error => refusal("INVALID_SPEC", operation, message);
  if (fromSnapshot !== undefined && options.image !== undefined) {
    throw wrong("image and fromSnapshot exclude each other: a snapshot has its image");
  }
  const image = parseImage(options.image ?? context.image);
  if (image === null) throw wrong(`image ${JSON.stringify(options.image)} is not distro[:version][:arch]`);
  const fault = resourceFault(resources);
  if (fault !== null) throw wrong(fault);
  const { owner, displayName, labels, expiresAt } = ownership;
  return {
    key,
    name,
    image,
    specHash,
    tag: {
      owner,
      key,
      specHash,
      displayName,
      labels,
      expiresAt,
      resources: roundedUp(resources),
      bootstrap: script?.stableChecksum ?? script?.checksum,
    },
    script,
    resources,
    isolated: context.isolated,
    fromSnapshot,
  };
}

/** The options as they are compared: with the image that is meant, under the one name that it has here. */
export function specOf(
  { image: usual }: Pick<OrbstackContext, "image">,
  options: OrbstackSpawnOptions,
): OrbstackSpawnOptions {
  const image = options.fromSnapshot === undefined ? parseImage(options.image ?? usual) : null;
  return image === null ? options : { ...options, image: canonicalImage(image) };
}

function resourceFault({ cpus, memoryBytes, diskBytes }: ResourceOptions): string | null {
  if (cpus !== undefined && !Number.isInteger(cpus)) return `resources.cpus is ${cpus}, and must be a whole number`;
  if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY_BYTES) {
    return `resources.memoryBytes is ${memoryBytes}, and a machine needs at least ${LEAST_MEMORY_BYTES} (64 MiB)`;
  }
  if (diskBytes !== undefined && diskBytes < LEAST_DISK_BYTES) {
    return `resources.diskBytes is ${diskBytes}, and a machine needs at least ${LEAST_DISK_BYTES} (1 GiB)`;
  }
  return null;
}

export function labelFault(name: string): string | null {
  return name === "" ? "has no name" : null;
}

/** As the command takes them: memory in whole MiB, disk in whole GiB. */
function roundedUp({ cpus, memoryBytes, diskBytes }: ResourceOptions): NonNullable<Tag["resources"]> {
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes: Math.ceil(memoryBytes / MEBIBYTE) * MEBIBYTE }),
    ...(diskBytes === undefined ? {} : { diskBytes: Math.ceil(diskBytes / GIBIBYTE) * GIBIBYTE }),
  };
}
