import { type GpuOptions, type Operation, type ResourceOptions } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";
import { refusal } from "./remote.ts";

/** A machine type, and accelerators that are attached to it beside those that it has built in. */
export interface Machine {
  readonly type: string;
  readonly accelerators?: { readonly type: string; readonly count: number };
}

// Google's names of accelerators and, by their count, the machine types that have them built in.
const BUILT_IN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "nvidia-l4": { 1: "g2-standard-4", 2: "g2-standard-24", 4: "g2-standard-48", 8: "g2-standard-96" },
  "nvidia-tesla-a100": {
    1: "a2-highgpu-1g",
    2: "a2-highgpu-2g",
    4: "a2-highgpu-4g",
    8: "a2-highgpu-8g",
    16: "a2-megagpu-16g",
  },
  "nvidia-a100-80gb": { 1: "a2-ultragpu-1g", 2: "a2-ultragpu-2g", 4: "a2-ultragpu-4g", 8: "a2-ultragpu-8g" },
  "nvidia-h100-80gb": { 1: "a3-highgpu-1g", 2: "a3-highgpu-2g", 4: "a3-highgpu-4g", 8: "a3-highgpu-8g" },
};
const ATTACHED: Readonly<Record<string, readonly number[]>> = {
  "nvidia-tesla-t4": [1, 2, 4],
  "nvidia-tesla-v100": [1, 2, 4, 8],
  "nvidia-tesla-p100": [1, 2, 4],
  "nvidia-tesla-p4": [1, 2, 4],
};
const ANY_GPU = "nvidia-l4";

/** The accelerators that a machine type has built in; undefined where it has none, or nobody here knows. */
export function builtInGpus(type: string): { readonly type: string; readonly count: number } | undefined {
  for (const [gpu, counts] of Object.entries(BUILT_IN)) {
    const found = Object.entries(counts).find(([, name]) => name === type);
    if (found !== undefined) return { type: gpu, count: Number(found[0]) };
  }
  return undefined;
}

interface Wanted {
  readonly spec?: string | undefined;
  readonly resources?: ResourceOptions | undefined;
  readonly gpu?: GpuOptions | undefined;
}

/** A pure function of the options. Throws INVALID_SPEC. */
export function machineFor({ spec, resources, gpu }: Wanted, defaultSpec: string, operation: Operation): Machine {
  if (spec !== undefined && !/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(spec)) {
    throw refusal("INVALID_SPEC", operation, `spec ${JSON.stringify(spec)} is no name of a machine type, as e2-medium`);
  }
  if (gpu !== undefined) return withGpu({ spec, resources, gpu }, operation);
  if (resources === undefined) return { type: spec ?? defaultSpec };
  return { type: customType(resources, operation) };
}

function withGpu({ spec, resources, gpu }: Wanted & { readonly gpu: GpuOptions }, operation: Operation): Machine {
  if (resources !== undefined) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      "resources and gpu together choose no machine type of Google's: give spec and gpu",
    );
  }
  const { count } = gpu;
  const type = gpu.type === undefined ? undefined : googlesName(gpu.type);
  if (spec !== undefined) {
    const has = builtInGpus(spec);
    // Those that a machine type has built in must not be asked for again.
    if (has !== undefined && has.count === count && (type ?? has.type) === has.type) return { type: spec };
    if (has === undefined && spec.startsWith("n1-")) return attached(spec, type ?? "nvidia-tesla-t4", count, operation);
    throw refusal("INVALID_SPEC", operation, `spec ${JSON.stringify(spec)} does not have what gpu asks for`);
  }
  const wanted = type ?? ANY_GPU;
  const builtIn = BUILT_IN[wanted];
  if (builtIn === undefined) return attached("n1-standard-4", wanted, count, operation);
  const found = builtIn[count];
  if (found !== undefined) return { type: found };
  throw refusal(
    "INVALID_SPEC",
    operation,
    `gpu: ${wanted} comes in ${Object.keys(builtIn).join(", ")}, not in ${count}`,
  );
}

/** Google's name of a GPU under any name; the plain one where there are several sizes. What Google does not have is left as it is. */
function googlesName(asked: string): string {
  const known = [...Object.keys(BUILT_IN), ...Object.keys(ATTACHED)];
  const found = (["exact", "variant"] as const).flatMap((fit) => known.filter((name) => gpuFit(asked, name) === fit));
  return found[0] ?? asked.toLowerCase();
}

function attached(type: string, gpu: string, count: number, operation: Operation): Machine {
  const counts = ATTACHED[gpu];
  if (counts?.includes(count) === true) return { type, accelerators: { type: gpu, count } };
  const known = [...Object.keys(BUILT_IN), ...Object.keys(ATTACHED)].join(", ");
  throw refusal(
    "INVALID_SPEC",
    operation,
    counts === undefined
      ? `gpu: ${JSON.stringify(gpu)} is none of ${known}`
      : `gpu: ${gpu} comes in ${counts.join(", ")}, not in ${count}`,
  );
}

const MIB = 1024 ** 2;
// E2 takes even numbers of processors, and half a gigabyte to eight for each.
const E2 = { mostCpus: 32, mostMb: 131_072, leastMbPerCpu: 512, mostMbPerCpu: 8_192, stepMb: 256 };

function customType({ cpus = 1, memoryBytes = 0 }: ResourceOptions, operation: Operation): string {
  const memoryMb = Math.ceil(memoryBytes / MIB / E2.stepMb) * E2.stepMb;
  const needed = Math.max(2, Math.ceil(cpus), Math.ceil(memoryMb / E2.mostMbPerCpu));
  const even = needed + (needed % 2);
  if (even > E2.mostCpus || memoryMb > E2.mostMb) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      "resources ask for more than 32 processors or 128 GiB: name a machine type in spec",
    );
  }
  return `e2-custom-${even}-${Math.max(memoryMb, even * E2.leastMbPerCpu)}`;
}
