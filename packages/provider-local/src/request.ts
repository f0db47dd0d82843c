import { type BootstrapConfig, type BootstrapScript, type Operation, type SpawnOptions, specHash } from "@slipway/core";
import { carriedBootstrap, givenBootstrap, renderBootstrap } from "@slipway/provider-kit/bootstrap";
import { failure, PROVIDER_NAME } from "./errors.ts";
import { digestOf, type SecretDigest } from "./state/records.ts";

export type LocalCapability =
  | "snapshots"
  | "persistentVolumes"
  | "idempotentSpawn"
  | "customNetworking"
  | "terminateBy";

/** A spawn as it will be carried out: checked, its bootstrap rendered. */
export interface LocalRequest {
  readonly options: SpawnOptions<LocalCapability>;
  readonly key: string;
  readonly specHash: string;
  readonly script: BootstrapScript | null;
  readonly secrets: readonly SecretDigest[];
  readonly network: "shared" | "isolated";
}

export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

// Where a mount would hide what the instance itself needs.
const RESERVED_MOUNTS = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/nix",
  "/proc",
  "/dev",
  "/run/slipway",
  "/etc",
];

/** Throws INVALID_SPEC for what core's own checks cannot know. */
export function requestOf(options: SpawnOptions<LocalCapability>): LocalRequest {
  const script = options.bootstrap === undefined ? null : scriptOf(options.bootstrap);
  for (const { mountPath } of options.volumes ?? []) checkMountPath(mountPath);
  const token = options.bootstrap === undefined ? undefined : tokenOf(options.bootstrap);
  return {
    options,
    // defineProvider has given it one.
    key: options.key ?? "",
    specHash: specHash(script === null ? options : { ...options, bootstrap: script }),
    script,
    secrets: token === undefined ? [] : [digestOf(token)],
    network: networkOf(options.network),
  };
}

export function render(config: BootstrapConfig, operation: Operation): BootstrapScript {
  return renderBootstrap(config, { provider: PROVIDER_NAME, operation, format: "shell" });
}

function scriptOf(bootstrap: BootstrapConfig | BootstrapScript): BootstrapScript {
  const limits = { format: "shell", maxBytes: MAX_BOOTSTRAP_BYTES } as const;
  return givenBootstrap(bootstrap, { provider: PROVIDER_NAME, operation: "spawn", ...limits });
}

function networkOf(network: SpawnOptions<LocalCapability>["network"]): "shared" | "isolated" {
  if (network === undefined) return "shared";
  for (const name of ["id", "subnet", "firewalls"] as const) {
    if (network[name] !== undefined)
      throw invalid(`network.${name} is not known here: the only network is { isolated }`);
  }
  return network.isolated === true ? "isolated" : "shared";
}

function checkMountPath(path: string): void {
  const wrong =
    path.includes("\0") ||
    path
      .split("/")
      .slice(1)
      .some((part) => part === "" || part === "." || part === "..");
  if (wrong) throw invalid(`the mountPath ${JSON.stringify(path)} is no plain absolute path`);
  const reserved = RESERVED_MOUNTS.find((at) => path === at || path.startsWith(`${at}/`));
  if (reserved !== undefined)
    throw invalid(`the mountPath ${JSON.stringify(path)} lies in ${reserved}, which is the system's`);
}

function tokenOf(bootstrap: BootstrapConfig | BootstrapScript): string | undefined {
  return "content" in bootstrap ? carriedBootstrap(bootstrap)?.registrationToken : bootstrap.registrationToken;
}

function invalid(message: string): Error {
  return failure("bad-request", "spawn", message);
}
