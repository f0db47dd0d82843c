export interface EmulatedType {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly gpus?: { readonly type: string; readonly count: number };
  /** US dollars an hour as spot; absent: no history of prices. */
  readonly spotUsd?: number;
}

function type(
  name: string,
  cpus: number,
  memoryMb: number,
  spotUsd?: number,
  gpu?: readonly [string, number],
): EmulatedType {
  return {
    name,
    cpus,
    memoryMb,
    ...(spotUsd === undefined ? {} : { spotUsd }),
    ...(gpu === undefined ? {} : { gpus: { type: gpu[0], count: gpu[1] } }),
  };
}

export const EMULATED_TYPES: readonly EmulatedType[] = [
  type("e2-micro", 2, 1_024, 0.0025),
  type("e2-medium", 2, 4_096, 0.01),
  type("e2-standard-2", 2, 8_192, 0.02),
  type("e2-standard-4", 4, 16_384, 0.04),
  type("n1-standard-1", 1, 3_840, 0.01),
  type("n1-standard-4", 4, 15_360, 0.04),
  type("n2-standard-4", 4, 16_384, 0.05),
  type("c3-standard-4", 4, 16_384),
  type("g2-standard-4", 4, 16_384, 0.28, ["nvidia-l4", 1]),
  type("g2-standard-24", 24, 98_304, 0.8, ["nvidia-l4", 2]),
  type("a2-highgpu-1g", 12, 87_040, 1.2, ["nvidia-tesla-a100", 1]),
];

export const EMULATED_ZONES: readonly string[] = [
  ...["a", "b", "c", "f"].map((letter) => `us-central1-${letter}`),
  ...["b", "c", "d"].map((letter) => `us-east1-${letter}`),
  ...["b", "c", "d"].map((letter) => `europe-west1-${letter}`),
  ...["a", "b", "c"].map((letter) => `europe-west10-${letter}`),
];

export const ACCELERATORS: Readonly<Record<string, number>> = {
  "nvidia-tesla-t4": 4,
  "nvidia-tesla-v100": 8,
  "nvidia-tesla-p100": 4,
  "nvidia-tesla-p4": 4,
};

/** Families of images, by project. */
export const IMAGES: Readonly<Record<string, readonly string[]>> = {
  "ubuntu-os-cloud": ["ubuntu-2404-lts-amd64", "ubuntu-2204-lts"],
  "debian-cloud": ["debian-12", "debian-13"],
};

// europe-west10 sells no accelerators.
export function typeIn(zone: string, name: string): EmulatedType | undefined {
  const [, cpus, memoryMb] = /^(?:[a-z0-9]+-)?custom-(\d+)-(\d+)$/.exec(name) ?? [];
  if (cpus !== undefined) return { name, cpus: Number(cpus), memoryMb: Number(memoryMb) };
  const found = EMULATED_TYPES.find((each) => each.name === name);
  return found?.gpus !== undefined && zone.startsWith("europe-west10-") ? undefined : found;
}

export function regionOfZone(zone: string): string {
  return zone.slice(0, zone.lastIndexOf("-"));
}

export const EMULATED_REGIONS: readonly string[] = [...new Set(EMULATED_ZONES.map(regionOfZone))];
