import type { BootstrapScript } from "@slipway/core";
import { isKey, nameFor, type Operation, type SpawnOptions, specHash } from "@slipway/core";
import type { LambdaContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { labelFault, tagsOf } from "./marks.ts";
import { scriptOf } from "./user-data.ts";
import type { WireTag } from "./wire.ts";

export type LambdaCapability = "gpu" | "multiRegion" | "persistentVolumes";
export type LambdaSpawnOptions = SpawnOptions<LambdaCapability>;

export const MAX_LABELS = 32;
export const NAME_MAX_LENGTH = 64;

/** A spawn as far as it can be checked without a call. */
export interface LambdaRequest {
  readonly options: LambdaSpawnOptions;
  readonly key: string;
  /** The name at Lambda. */
  readonly name: string;
  readonly specHash: string;
  readonly script: BootstrapScript | undefined;
  readonly tags: readonly WireTag[];
}

/** Throws INVALID_SPEC for what core's own checks cannot know. */
export function requestOf(context: LambdaContext, operation: Operation, options: LambdaSpawnOptions): LambdaRequest {
  const { key, labels = {}, name: displayName, expiresAt, bootstrap } = options;
  // defineProvider has given it one.
  if (!isKey(key)) throw refusal("INVALID_SPEC", operation, "key must be 1 to 128 printable ASCII characters");
  checkPlace(context, operation, options);
  for (const [label, value] of Object.entries(labels)) {
    const fault = labelFault(label, value);
    if (fault !== null) throw refusal("INVALID_SPEC", operation, `labels: ${JSON.stringify(label)} ${fault}`);
  }
  if (options.spec === undefined && options.resources === undefined && options.gpu === undefined) {
    throw refusal("INVALID_SPEC", operation, "one of spec, resources and gpu is needed", {
      hint: 'Lambda has no default machine type: name one as gpu_1x_a10, or ask for gpu: { type: "a10", count: 1 }.',
    });
  }
  if ((options.sshKeys ?? []).length === 0 && context.sshKeyName === undefined) {
    throw refusal("INVALID_SPEC", operation, "sshKeys is empty, and Lambda starts nothing without an SSH key", {
      hint: "Give sshKeys, or configure sshKeyName with the name of a key of the account.",
    });
  }
  const script = bootstrap === undefined ? undefined : scriptOf(bootstrap, operation);
  const hash = specHash(script === undefined ? options : { ...options, bootstrap: script });
  const marks = { owner: context.owner, key, specHash: hash, displayName, expiresAt };
  return {
    options,
    key,
    name: nameFor(context.owner, key),
    specHash: hash,
    script,
    tags: tagsOf(marks, labels),
  };
}

export function checkPlace(
  context: LambdaContext,
  operation: Operation,
  { region }: { readonly region?: string | undefined },
): void {
  if (region === undefined || context.regions.includes(region)) return;
  throw refusal("INVALID_SPEC", operation, `region ${JSON.stringify(region)} is not configured`, {
    hint: `This provider was made with ${context.regions.join(", ")}.`,
  });
}
