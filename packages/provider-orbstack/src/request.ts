import {
  type BootstrapScript,
  isKey,
  nameFor,
  type Operation,
  type ResourceOptions,
  type SpawnOptions,
  specHash,
} from "@slipway/core";
import { scriptOf } from "./bootstrap.ts";
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

/** Throws INVALID_SPEC, or UNSUPPORTED, for what core's own checks cannot know. */
export function requestOf(
  context: OrbstackContext,
  operation: Operation,
  options: OrbstackSpawnOptions,
): OrbstackRequest {
  const { key, labels = {}, bootstrap, resources = {}, fromSnapshot } = options;
  const wrong = (message: string): Error => refusal("INVALID_SPEC", operation, message);
  // defineProvider has given it one.
  if (!isKey(key)) throw wrong("key must be 1 to 128 printable ASCII characters");
  if (fromSnapshot !== undefined && options.image !== undefined) {
    throw wrong("image and fromSnapshot exclude each other: a snapshot has its image");
  }
  const image = parseImage(options.image ?? context.image);
  if (image === null) throw wrong(`image ${JSON.stringify(options.image)} is not distro[:version][:arch]`);
  const fault = resourceFault(resources) ?? labelFault(labels);
  if (fault !== null) throw wrong(fault);
  const script = bootstrap === undefined ? undefined : scriptOf(bootstrap, operation);
  const hash = specHash({
    ...options,
    ...(fromSnapshot === undefined ? { image: canonicalImage(image) } : {}),
    ...(script === undefined ? {} : { bootstrap: script }),
  });
  return {
    key,
    name: nameFor(context.owner, key),
    image,
    specHash: hash,
    tag: {
      owner: context.owner,
      key,
      specHash: hash,
      displayName: options.name,
      labels,
      expiresAt: options.expiresAt,
      resources: roundedUp(resources),
      bootstrap: script?.stableChecksum ?? script?.checksum,
    },
    script,
    resources,
    isolated: context.isolated,
    fromSnapshot,
  };
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

function labelFault(labels: Readonly<Record<string, string>>): string | null {
  const bad = Object.keys(labels).find((name) => name === "");
  return bad === undefined ? null : "labels: a label has no name";
}

/** As the command takes them: memory in whole MiB, disk in whole GiB. */
function roundedUp({ cpus, memoryBytes, diskBytes }: ResourceOptions): NonNullable<Tag["resources"]> {
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes: Math.ceil(memoryBytes / MEBIBYTE) * MEBIBYTE }),
    ...(diskBytes === undefined ? {} : { diskBytes: Math.ceil(diskBytes / GIBIBYTE) * GIBIBYTE }),
  };
}
