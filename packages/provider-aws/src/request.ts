import type { BuiltinCapability, GpuOptions, Operation, SpawnOptions } from "@slipway/core";
import type { SpawnRequest } from "@slipway/provider-kit/driver";
import { refusal } from "./call.ts";
import { checkNetwork } from "./capabilities/custom-networking.ts";
import { fitsGpu, gpuTypesOf, knownGpus } from "./capabilities/gpu.ts";
import { marketOptions } from "./capabilities/market-options.ts";
import { type AwsContext, configuredRegion } from "./context.ts";
import { nativeIdOf, splitId } from "./ids.ts";
import type { AWSInstance } from "./instance.ts";
import { typeFor } from "./machine-types.ts";
import { isText, TAGS, type Tag, tagsOf } from "./tags.ts";
import { terminateByHook, terminateByTags } from "./terminate-by.ts";
import { userData } from "./user-data.ts";

/** What `whyNot` has no sentence for. */
export type AwsCapability = Exclude<BuiltinCapability, "idempotentSpawn" | "tailscaleNative"> | "terminateBy";
export type AWSSpawnOptions = SpawnOptions<AwsCapability>;

export type AwsRequest = SpawnRequest<AWSSpawnOptions, Prepared>;

/** What follows from a spawn's options without a call. Nothing of it depends on time, chance or other processes. */
export interface Prepared {
  readonly region: string;
  readonly instanceType: string;
  /** In base64. */
  readonly userData: string | undefined;
}

/** Throws INVALID_SPEC for what neither core's own checks nor the kit's can know. */
export function prepare(
  context: AwsContext,
  operation: Operation,
  { options, script }: SpawnRequest<AWSSpawnOptions>,
): Prepared {
  const { name = "", network, ports = [], sshKeys = [], volumes = [], terminateBy } = options;
  if (!isText(name)) throw refusal("INVALID_SPEC", operation, "name holds half of a surrogate pair");
  for (const { port, hostPort } of ports) {
    if (hostPort === undefined || hostPort === port) continue;
    throw refusal("UNSUPPORTED", operation, `ports: EC2 maps no ports, so that ${port} cannot appear as ${hostPort}`);
  }
  if (network !== undefined) checkNetwork(operation, network);
  if (network?.isolated === true && ports.length > 0) {
    throw refusal("INVALID_SPEC", operation, "network.isolated excludes ports: they would open it again");
  }
  marketOptions(operation, options);
  const region = regionFor(context, operation, options);
  const instanceType = machineTypeOf(context, operation, options);
  const parts = {
    script,
    sshKeys,
    volumes: volumes.map(({ id, mountPath }) => ({ volumeId: nativeIdOf(id), mountPath })),
    terminateBy: terminateBy === undefined ? undefined : terminateByHook(terminateBy),
  };
  return { region, instanceType, userData: userData(parts, operation) };
}

/** The region that the options name; what is bound to a region, as a volume, names one too. */
export function regionFor(
  context: Pick<AwsContext, "lifeCycle" | "regions">,
  operation: Operation,
  { region, fromSnapshot, volumes = [] }: Pick<AWSSpawnOptions, "region" | "fromSnapshot" | "volumes">,
): string {
  const bound = [fromSnapshot, ...volumes.map(({ id }) => id)]
    .map((id) => (id === undefined ? undefined : splitId(id).region))
    .find((named) => named !== undefined);
  return configuredRegion(context, operation, region ?? bound);
}

/** The machine type that the options name or mean. */
export function machineTypeOf(
  context: Pick<AwsContext, "defaultSpec">,
  operation: Operation,
  { spec, resources, gpu }: Pick<AWSSpawnOptions, "spec" | "resources" | "gpu">,
): string {
  if (spec !== undefined) {
    if (gpu === undefined || fitsGpu(spec, gpu)) return spec;
    throw refusal("INVALID_SPEC", operation, `${spec} is not known to have what gpu asks for`, {
      hint: "Name the machine type by spec alone, or leave the choice to gpu.",
    });
  }
  if (gpu !== undefined) {
    if (resources === undefined) return chooseGpuType(operation, gpu);
    throw refusal(
      "INVALID_SPEC",
      operation,
      "resources and gpu exclude each other on EC2: name a machine type by spec",
    );
  }
  return resources === undefined ? context.defaultSpec : typeFor(operation, resources, context.defaultSpec);
}

/** Of an instance whose key had these before: so many ended. */
export function nextGeneration(previous: readonly AWSInstance[]): number {
  return Math.max(-1, ...previous.map(({ generation }) => generation)) + 1;
}

/** What is written on everything that the launch makes. */
export function launchTags({ key, ownership, options }: AwsRequest, generation: number): readonly Tag[] {
  const { owner, specHash, displayName, expiresAt, labels } = ownership;
  return [
    ...tagsOf(owner, key),
    { Key: TAGS.specHash, Value: specHash },
    { Key: TAGS.generation, Value: String(generation) },
    ...(displayName === undefined ? [] : [{ Key: TAGS.name, Value: displayName }]),
    ...(expiresAt === undefined ? [] : [{ Key: TAGS.expiresAt, Value: expiresAt }]),
    ...terminateByTags(options),
    ...Object.entries(labels).map(([Key, Value]) => ({ Key, Value })),
  ];
}

/** The machine type for a spawn that asks for accelerators; INVALID_SPEC where EC2 has none such, before any call. */
function chooseGpuType(operation: string, gpu: GpuOptions): string {
  const [cheapest] = gpuTypesOf(gpu);
  if (cheapest !== undefined) return cheapest;
  throw refusal("INVALID_SPEC", operation, `EC2 has no machine type with ${gpu.count} ${gpu.type ?? "accelerators"}`, {
    hint: `Known are ${knownGpus()}; name another machine type by spec.`,
  });
}
