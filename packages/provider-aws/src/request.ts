import {
  type BootstrapScript,
  type BuiltinCapability,
  type GpuOptions,
  isKey,
  nameFor,
  type Operation,
  type SpawnOptions,
  specHash,
} from "@slipway/core";
import { refusal } from "./call.ts";
import { checkNetwork } from "./capabilities/custom-networking.ts";
import { fitsGpu, gpuTypesOf, knownGpus } from "./capabilities/gpu.ts";
import { marketOptions } from "./capabilities/market-options.ts";
import { type AwsContext, configuredRegion } from "./context.ts";
import { nativeIdOf, splitId } from "./ids.ts";
import { typeFor } from "./machine-types.ts";
import { isText, labelFault, TAGS, type Tag, tagsOf } from "./tags.ts";
import { terminateByTags } from "./terminate-by.ts";
import { scriptOf } from "./user-data.ts";

/** What `whyNot` has no sentence for. */
export type AwsCapability = Exclude<BuiltinCapability, "idempotentSpawn" | "tailscaleNative"> | "terminateBy";
export type AWSSpawnOptions = SpawnOptions<AwsCapability>;

/** A spawn as far as it can be checked without a call. Nothing of it depends on time, chance or other processes. */
export interface SpawnRequest {
  readonly options: AWSSpawnOptions;
  readonly key: string;
  /** `nameFor(owner, key)`. */
  readonly name: string;
  readonly region: string;
  readonly instanceType: string;
  readonly specHash: string;
  readonly script: BootstrapScript | undefined;
  readonly labels: readonly Tag[];
}

/** Throws INVALID_SPEC for what core's own checks cannot know. */
export function requestOf(context: AwsContext, operation: Operation, options: AWSSpawnOptions): SpawnRequest {
  const { key, labels = {}, bootstrap, network, ports = [] } = options;
  // defineProvider has given it one.
  if (!isKey(key)) throw refusal("INVALID_SPEC", operation, "key must be 1 to 128 printable ASCII characters");
  for (const [label, value] of Object.entries(labels)) {
    const fault = labelFault(label, value);
    if (fault !== null) throw refusal("INVALID_SPEC", operation, `labels: ${JSON.stringify(label)} ${fault}`);
  }
  if (!isText(options.name ?? "")) throw refusal("INVALID_SPEC", operation, "name holds half of a surrogate pair");
  for (const { port, hostPort } of ports) {
    if (hostPort === undefined || hostPort === port) continue;
    throw refusal("UNSUPPORTED", operation, `ports: EC2 maps no ports, so that ${port} cannot appear as ${hostPort}`);
  }
  if (network !== undefined) checkNetwork(operation, network);
  if (network?.isolated === true && ports.length > 0) {
    throw refusal("INVALID_SPEC", operation, "network.isolated excludes ports: they would open it again");
  }
  marketOptions(operation, options);
  const script = bootstrap === undefined ? undefined : scriptOf(bootstrap, operation);
  return {
    options,
    key,
    name: nameFor(context.owner, key),
    region: regionFor(context, operation, options),
    instanceType: machineTypeOf(context, operation, options),
    specHash: specHash(script === undefined ? options : { ...options, bootstrap: script }),
    script,
    labels: Object.entries(labels).map(([Key, Value]) => ({ Key, Value })),
  };
}

/** The region that the options name; what is bound to a region, as a volume, names one too. */
export function regionFor(
  context: Pick<AwsContext, "regions">,
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

/** What is written on everything that the launch makes. */
export function launchTags(context: AwsContext, request: SpawnRequest, generation: number): readonly Tag[] {
  const { key, specHash: hash, options, labels } = request;
  const { name, expiresAt } = options;
  return [
    ...tagsOf(context.owner, key),
    { Key: TAGS.specHash, Value: hash },
    { Key: TAGS.generation, Value: String(generation) },
    ...(name === undefined ? [] : [{ Key: TAGS.name, Value: name }]),
    ...(expiresAt === undefined ? [] : [{ Key: TAGS.expiresAt, Value: expiresAt }]),
    ...terminateByTags(options),
    ...labels,
  ];
}

/** The native ids of the volumes that a spawn names. */
export function volumeIdsOf({ options: { volumes = [] } }: SpawnRequest): readonly string[] {
  return volumes.map(({ id }) => nativeIdOf(id));
}

/** The machine type for a spawn that asks for accelerators; INVALID_SPEC where EC2 has none such, before any call. */
function chooseGpuType(operation: string, gpu: GpuOptions): string {
  const [cheapest] = gpuTypesOf(gpu);
  if (cheapest !== undefined) return cheapest;
  throw refusal("INVALID_SPEC", operation, `EC2 has no machine type with ${gpu.count} ${gpu.type ?? "accelerators"}`, {
    hint: `Known are ${knownGpus()}; name another machine type by spec.`,
  });
}
