import { type BootstrapScript, isKey, nameFor, type Operation, type SpawnOptions, specHash } from "@slipway/core";
import { carriedBootstrap, renderBootstrap } from "@slipway/provider-kit/bootstrap";
import type { __Name__Context } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { tagsOf } from "./ownership.ts";
import type { __Name__Capability } from "./provider.ts";
import type { CreateBody } from "./wire.ts";

export const MAX_USER_DATA_BYTES = 65_536;
export const MAX_LABELS = 32;
export const NAME_MAX_LENGTH = 63;

/** What a spawn without a spec gets. */
const DEFAULT_TYPE = "small";

/** A spawn as far as it can be checked without a call. */
export interface __Name__Request {
  readonly key: string;
  readonly specHash: string;
  readonly body: CreateBody;
  /** What of it must not show anywhere. */
  readonly secrets: readonly string[];
}

/** Throws INVALID_SPEC for what core's own checks cannot know. */
export function requestOf(
  context: __Name__Context,
  operation: Operation,
  options: SpawnOptions<__Name__Capability>,
): __Name__Request {
  const { key, bootstrap, name: displayName, expiresAt, labels } = options;
  // defineProvider has given it one.
  if (!isKey(key)) throw refusal("INVALID_SPEC", operation, "key must be 1 to 128 printable ASCII characters");
  const script =
    bootstrap === undefined || "content" in bootstrap
      ? bootstrap
      : renderBootstrap(bootstrap, { provider: PROVIDER, operation, format: "cloud-init" });
  const bytes = Buffer.byteLength(script?.content ?? "");
  if (bytes > MAX_USER_DATA_BYTES) {
    throw refusal("INVALID_SPEC", operation, `bootstrap has ${bytes} bytes, and __NAME__ takes ${MAX_USER_DATA_BYTES}`);
  }
  const hash = specHash(script === undefined ? options : { ...options, bootstrap: script });
  // #if multiRegion
  const region = options.region ?? context.regions[0];
  if (!context.regions.includes(region)) {
    throw refusal("INVALID_SPEC", operation, `region ${JSON.stringify(region)} is not configured, so that list would not look there`);
  }
  // #end
  const ownership = {
    owner: context.owner,
    key,
    specHash: hash,
    displayName,
    expiresAt,
    // #if hibernation
    hibernation: options.hibernation === true ? "yes" : undefined,
    // #end
  };
  const body: CreateBody = {
    name: nameFor(context.owner, key),
    type: options.spec ?? DEFAULT_TYPE,
    image: options.image,
    tags: tagsOf(ownership, labels),
    userData: script?.content,
    sshKeys: options.sshKeys,
    // #if multiRegion
    region,
    // #end
    // #if gpu
    gpus: options.gpu,
    // #end
    // #if persistentVolumes
    disks: options.volumes?.map(({ id, mountPath }) => ({ id, path: mountPath })),
    // #end
    // #if snapshots
    ...(options.fromSnapshot === undefined ? {} : { image: options.fromSnapshot }),
    // #end
  };
  return { key, specHash: hash, body, secrets: secretsOf(script) };
}

// A shorter value would take ordinary words out of messages.
const SHORTEST_SECRET = 4;

function secretsOf(script: BootstrapScript | undefined): readonly string[] {
  const carried = script === undefined ? null : carriedBootstrap(script);
  const values = [
    script?.content,
    carried?.script,
    carried?.registrationToken,
    ...Object.values(carried?.environment ?? {}),
    ...(carried?.files ?? []).map(({ content }) => content),
  ];
  return values.filter((value) => value !== undefined).filter((value) => value.length >= SHORTEST_SECRET);
}
