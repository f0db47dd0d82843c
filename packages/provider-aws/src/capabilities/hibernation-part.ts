import type { InstanceTypeInfo, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { refusal } from "../call.ts";

/** What is known of a spawn before it is sent, as far as hibernation depends on it. */
export interface HibernationFacts {
  readonly type: Pick<
    InstanceTypeInfo,
    "InstanceType" | "HibernationSupported" | "BareMetal" | "MemoryInfo" | "SupportedRootDeviceTypes"
  >;
  /** `ebs` or `instance-store`, as the image says. */
  readonly rootDeviceType: string | undefined;
  readonly spot: boolean;
}

// EC2 refuses to hibernate Linux with more.
const MAX_MEMORY_MIB = 150 * 1024;
const MIB_PER_GIB = 1024;

/** Why such a machine could not hibernate, in one sentence; null if nothing is known to be in the way. */
export function hibernationProblem({ type, rootDeviceType, spot }: HibernationFacts): string | null {
  const name = type.InstanceType ?? "this machine type";
  const memoryMib = type.MemoryInfo?.SizeInMiB;
  if (spot) return "a spot instance cannot be asked to hibernate: only EC2 itself interrupts one that way";
  if (type.BareMetal === true) return `${name} is bare metal, which cannot hibernate`;
  if (type.HibernationSupported === false) return `EC2 does not hibernate ${name}`;
  if (memoryMib !== undefined && memoryMib >= MAX_MEMORY_MIB) {
    return `${name} has ${Math.round(memoryMib / MIB_PER_GIB)} GiB of memory, and EC2 hibernates less than 150`;
  }
  if (rootDeviceType !== undefined && rootDeviceType !== "ebs") return "the image's root is not on EBS";
  return null;
}

/** Refuses with INVALID_SPEC, before the instance is made, what EC2 would refuse or could never hibernate. */
export function checkHibernation(operation: string, facts: HibernationFacts): void {
  const problem = hibernationProblem(facts);
  if (problem === null) return;
  throw refusal("INVALID_SPEC", operation, `hibernation: ${problem}`, {
    hint: "Current general families as m7i, c7i, r7i and t3 with Amazon Linux 2023 can hibernate.",
  });
}

/** How large the root must be at least, GiB: what the image needs, and space for the memory beside it. */
export function hibernationRootGib(imageGib: number, memoryMib: number): number {
  return imageGib + Math.ceil(memoryMib / MIB_PER_GIB);
}

/** The part of RunInstances that lets an instance hibernate later: it cannot be added afterwards. */
export function hibernationPart(
  hibernation: boolean | undefined,
): Pick<RunInstancesCommandInput, "HibernationOptions"> {
  return hibernation === true ? { HibernationOptions: { Configured: true } } : {};
}
