import { type GpuOptions, type Operation, type ResourceOptions } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";
import { type PricedMachine, positive } from "@slipway/provider-kit/driver";
import { refusal } from "./errors.ts";
import type { Cloud, WireCpuType, WireGpuType } from "./wire.ts";

/** One machine that the catalog has and the options allow, in one cloud. */
export interface Machine extends PricedMachine {
  readonly cloud: Cloud;
  readonly gpu?: { readonly id: string; readonly count: number };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  /** How well it is what was asked for; 0 is exactly. */
  readonly rank: number;
}

const GIGABYTE = 1_000_000_000;
const CPU_SPEC = /^(cpu\d+[a-z]*)(?:-(\d+))?$/;
const LEAST_VCPUS = 2;

/** `cpu5c` or `cpu5c-4`: the flavour, and how many of its vCPUs. Null for what is no CPU spec. */
export function cpuSpec(
  spec: string | undefined,
): { readonly id: string; readonly vcpuCount: number | undefined } | null {
  const found = CPU_SPEC.exec(spec ?? "");
  if (found === null) return null;
  return { id: found[1] ?? "", vcpuCount: found[2] === undefined ? undefined : Number(found[2]) };
}

/** Throws INVALID_SPEC for a number of vCPUs that RunPod never takes. */
export function checkedVcpus(vcpuCount: number, operation: Operation): number {
  if (vcpuCount >= LEAST_VCPUS && Number.isInteger(Math.log2(vcpuCount))) return vcpuCount;
  throw refusal("INVALID_SPEC", operation, `spec names ${vcpuCount} vCPUs: RunPod takes powers of two from 2 on`);
}

/** The GPU machines of one cloud that fit; `asked` holds a spec or a gpu. */
export function gpuMachines(
  types: readonly WireGpuType[],
  cloud: Cloud,
  asked: { readonly spec?: string | undefined; readonly gpu?: GpuOptions | undefined },
): readonly Machine[] {
  const count = asked.gpu?.count ?? 1;
  return types.flatMap((type): Machine[] => {
    const rank = asked.spec === undefined || asked.spec === type.id ? rankOf(type, asked.gpu?.type) : null;
    const [each, most] =
      cloud === "SECURE"
        ? [type.price?.secure, type.maxCount?.secure]
        : [type.price?.community, type.maxCount?.community];
    if (rank === null || (most !== undefined && most < count)) return [];
    const usdPerHour = money(positive(each, count));
    return [{ spec: type.id, cloud, gpu: { id: type.id, count }, usdPerHour, rank }];
  });
}

/** The whole id, the whole name, the same GPU by another name, or all words of what was asked for in them. Null: it is another one. */
function rankOf({ id, name = "" }: WireGpuType, asked: string | undefined): number | null {
  if (asked === undefined) return 0;
  const [wanted, ofId, ofName] = [words(asked), words(id), words(name)];
  if (asked === id || ofId.join() === wanted.join() || ofName.join() === wanted.join()) return 0;
  const fits = [gpuFit(asked, id), gpuFit(asked, name)];
  if (fits.includes("exact")) return 0;
  if (fits.includes("variant")) return 1;
  return wanted.length > 0 && wanted.every((word) => ofId.includes(word) || ofName.includes(word)) ? 1 : null;
}

function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** The CPU machines that fit: of one spec, or the smallest of each flavour that has the resources. */
export function cpuMachines(
  types: readonly WireCpuType[],
  operation: Operation,
  asked: { readonly spec?: string | undefined; readonly resources?: ResourceOptions | undefined },
): readonly Machine[] {
  const named = cpuSpec(asked.spec);
  const { cpus = 1, memoryBytes = 0 } = asked.resources ?? {};
  return types.flatMap((type): Machine[] => {
    if (named !== null && named.id !== type.id) return [];
    const { min = LEAST_VCPUS, max = Number.POSITIVE_INFINITY } = type.vcpu ?? {};
    const forMemory = type.ramGbPerVcpu === undefined ? 0 : memoryBytes / GIGABYTE / type.ramGbPerVcpu;
    const least = Math.max(cpus, forMemory, min, LEAST_VCPUS);
    const vcpuCount =
      named?.vcpuCount === undefined ? 2 ** Math.ceil(Math.log2(least)) : checkedVcpus(named.vcpuCount, operation);
    if (vcpuCount > max || vcpuCount < min || (memoryBytes > 0 && type.ramGbPerVcpu === undefined)) return [];
    const each = type.price?.securePerVcpu;
    const usdPerHour = money(positive(each, vcpuCount));
    const spec = `${type.id}-${vcpuCount}`;
    return [{ spec, cloud: "SECURE", cpu: { id: type.id, vcpuCount }, usdPerHour, rank: 0 }];
  });
}

/** Products of prices are not exact: no more than RunPod's own digits are kept. */
function money(usd: number | undefined): number | undefined {
  return usd === undefined ? undefined : Math.round(usd * 1e6) / 1e6;
}
