import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";
import type { Operation, ResourceOptions } from "@slipway/core";
import { refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";

/** A machine type as far as a choice needs it. */
interface MachineType {
  readonly name: string;
  readonly cpus: number;
  readonly gib: number;
}

interface Family {
  readonly family: string;
  /** GiB for each vCPU. */
  readonly gibPerCpu: number;
}

const SIZES: readonly (readonly [size: string, cpus: number])[] = [
  ["large", 2],
  ["xlarge", 4],
  ["2xlarge", 8],
  ["4xlarge", 16],
  ["8xlarge", 32],
  ["12xlarge", 48],
  ["16xlarge", 64],
  ["24xlarge", 96],
  ["48xlarge", 192],
];
const FAMILIES: readonly Family[] = [
  { family: "c7i", gibPerCpu: 2 },
  { family: "m7i", gibPerCpu: 4 },
  { family: "r7i", gibPerCpu: 8 },
];

/**
 * What a spawn by `resources` chooses from, the cheapest first. Data, not a call: the choice is part of the request, and
 * two processes must choose alike. Anything else is asked for by `spec`.
 */
const TYPES: readonly MachineType[] = [
  { name: "t3.nano", cpus: 2, gib: 0.5 },
  { name: "t3.micro", cpus: 2, gib: 1 },
  { name: "t3.small", cpus: 2, gib: 2 },
  { name: "t3.medium", cpus: 2, gib: 4 },
  { name: "t3.large", cpus: 2, gib: 8 },
  { name: "t3.xlarge", cpus: 4, gib: 16 },
  { name: "t3.2xlarge", cpus: 8, gib: 32 },
  ...SIZES.flatMap(([size, cpus]) =>
    FAMILIES.map(({ family, gibPerCpu }) => ({ name: `${family}.${size}`, cpus, gib: cpus * gibPerCpu })),
  ).toSorted((a, b) => a.cpus - b.cpus || a.gib - b.gib),
];

const GIB = 1024 ** 3;

/** Does EC2 bill or slow down what it does beyond a share of its CPU? Others refuse to be told which. */
export function isBurstable(type: string): boolean {
  return /^t\d/.test(type);
}

/** The cheapest known machine type with so much, or the default where only a disk is asked for. */
export function typeFor(operation: Operation, { cpus, memoryBytes }: ResourceOptions, byDefault: string): string {
  if (cpus === undefined && memoryBytes === undefined) return byDefault;
  const [wantedCpus, wantedGib] = [cpus ?? 0, (memoryBytes ?? 0) / GIB];
  const found = TYPES.find((type) => type.cpus >= wantedCpus && type.gib >= wantedGib);
  if (found !== undefined) return found.name;
  throw refusal("INVALID_SPEC", operation, `no machine type with ${wantedCpus} CPUs and ${wantedGib} GiB is known`, {
    hint: "Name a larger machine type by spec.",
  });
}

/** Graviton's families have a `g` behind the number of their generation: t4g, c7gn, g5g. */
export function architectureOf(instanceType: string): "arm64" | "x86_64" {
  return /^(a1|[a-z]+\d+[a-z]*g[a-z]*)\./.test(instanceType) ? "arm64" : "x86_64";
}

/** What EC2 tells of a machine type; INVALID_SPEC where the region does not know it. */
export async function machineType(
  context: AwsContext,
  call: Call,
  region: string,
  instanceType: string,
): Promise<InstanceTypeInfo> {
  const { InstanceTypes = [] } = await context.client.send(call, region, "DescribeInstanceTypes", {
    // EC2's own list of names grows every month: whatever the caller writes is asked for.
    InstanceTypes: [instanceType as NonNullable<InstanceTypeInfo["InstanceType"]>],
  });
  const [found] = InstanceTypes;
  if (found !== undefined) return found;
  throw refusal("INVALID_SPEC", call.operation, `spec: ${region} knows no machine type ${instanceType}`);
}
