/** A machine type of the emulated catalogue. */
export interface EmulatedType {
  readonly name: string;
  readonly description: string;
  readonly gpuDescription: string;
  readonly centsPerHour: number;
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly storageGib: number;
  readonly gpus: number;
  readonly architecture: "x86_64" | "arm64";
}

export interface EmulatedRegion {
  readonly name: string;
  readonly description: string;
}

export interface EmulatedImage {
  readonly id: string;
  readonly family: string;
  readonly region: string;
  readonly architecture: "x86_64" | "arm64";
}

function type(
  name: string,
  gpuDescription: string,
  [centsPerHour, vcpus, memoryGib, storageGib, gpus]: readonly [number, number, number, number, number],
  architecture: "x86_64" | "arm64" = "x86_64",
): EmulatedType {
  const description = gpus === 0 ? `${vcpus}x CPU` : `${gpus}x ${gpuDescription}`;
  return { name, description, gpuDescription, centsPerHour, vcpus, memoryGib, storageGib, gpus, architecture };
}

export const EMULATED_TYPES: readonly EmulatedType[] = [
  type("cpu_4x_general", "N/A", [20, 4, 16, 80, 0]),
  type("gpu_1x_a10", "A10 (24 GB PCIe)", [75, 30, 200, 1400, 1]),
  type("gpu_1x_a100", "A100 (40 GB PCIe)", [129, 30, 200, 512, 1]),
  type("gpu_1x_gh200", "GH200 (96 GB)", [149, 64, 432, 4096, 1], "arm64"),
  type("gpu_1x_h100_pcie", "H100 (80 GB PCIe)", [249, 26, 200, 1024, 1]),
  type("gpu_1x_h100_sxm5", "H100 (80 GB SXM5)", [329, 26, 225, 2816, 1]),
  type("gpu_8x_a100_80gb_sxm4", "A100 (80 GB SXM4)", [1432, 240, 1800, 20480, 8]),
  type("gpu_8x_h100_sxm5", "H100 (80 GB SXM5)", [2392, 208, 1800, 22528, 8]),
];

export const EMULATED_REGIONS: readonly EmulatedRegion[] = [
  "us-west-1",
  "us-west-2",
  "us-west-3",
  "us-east-1",
  "us-east-2",
  "us-east-3",
  "us-south-1",
  "us-south-2",
  "us-south-3",
  "us-midwest-1",
  "us-midwest-2",
  "europe-central-1",
  "me-west-1",
  "asia-south-1",
  "asia-northeast-1",
  "asia-northeast-2",
  "australia-east-1",
].map((name) => ({ name, description: `The emulated ${name}` }));

const FAMILIES = ["lambda-stack-22-04", "lambda-stack-24-04", "gpu-base-24-04", "ubuntu-24-04"];

/** One row for each region, family and architecture, with an id that is the same in every run. */
export const EMULATED_IMAGES: readonly EmulatedImage[] = EMULATED_REGIONS.flatMap(({ name: region }, r) =>
  FAMILIES.flatMap((family, f) =>
    (["x86_64", "arm64"] as const).map((architecture, a) => ({
      id: `00000000-0000-4000-8000-${String(r * 100 + f * 10 + a).padStart(12, "0")}`,
      family,
      region,
      architecture,
    })),
  ),
);
