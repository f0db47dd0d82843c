/** A machine type, as far as it is emulated. */
export interface EmulatedType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: "x86_64" | "arm64";
  readonly hibernation: boolean;
  readonly bareMetal?: boolean;
  readonly gpu?: { readonly name: string; readonly count: number; readonly memoryMib: number };
  /** Last letters of the zones that offer it. */
  readonly zones: string;
  readonly usdPerHour: number;
}

const GIB = 1024;

function general(
  name: string,
  vcpus: number,
  gib: number,
  usdPerHour: number,
  more: Partial<EmulatedType> = {},
): EmulatedType {
  const hibernation = gib < 150;
  return { name, vcpus, memoryMib: gib * GIB, architecture: "x86_64", hibernation, zones: "abc", usdPerHour, ...more };
}

const ARM = { architecture: "arm64" } as const;

export const EMULATED_TYPES: readonly EmulatedType[] = [
  general("t3.nano", 2, 0.5, 0.0052),
  general("t3.micro", 2, 1, 0.0104),
  general("t3.small", 2, 2, 0.0208),
  general("t3.medium", 2, 4, 0.0416),
  general("t3.large", 2, 8, 0.0832),
  general("t3.xlarge", 4, 16, 0.1664),
  general("t3.2xlarge", 8, 32, 0.3328),
  general("t4g.micro", 2, 1, 0.0084, ARM),
  general("t4g.small", 2, 2, 0.0168, ARM),
  general("m5.large", 2, 8, 0.096),
  general("m6i.large", 2, 8, 0.096),
  general("m7i.large", 2, 8, 0.1008),
  general("m7i.xlarge", 4, 16, 0.2016),
  general("m7i.4xlarge", 16, 64, 0.8064),
  general("m7i.metal-24xl", 96, 384, 4.8384, { bareMetal: true }),
  general("m7g.large", 2, 8, 0.0816, ARM),
  general("c7i.large", 2, 4, 0.08925),
  general("c7i.4xlarge", 16, 32, 0.714),
  general("r7i.large", 2, 16, 0.1323),
  general("r7i.8xlarge", 32, 256, 2.1168),
  general("g4dn.xlarge", 4, 16, 0.526, { hibernation: false, gpu: { name: "T4", count: 1, memoryMib: 16 * GIB } }),
  general("g4dn.12xlarge", 48, 192, 3.912, { hibernation: false, gpu: { name: "T4", count: 4, memoryMib: 16 * GIB } }),
  general("g5.xlarge", 4, 16, 1.006, {
    hibernation: false,
    gpu: { name: "A10G", count: 1, memoryMib: 24 * GIB },
    zones: "ab",
  }),
  general("g6.xlarge", 4, 16, 0.8048, {
    hibernation: false,
    gpu: { name: "L4", count: 1, memoryMib: 24 * GIB },
    zones: "ab",
  }),
  general("p5.48xlarge", 192, 2048, 55.04, {
    hibernation: false,
    gpu: { name: "H100", count: 8, memoryMib: 80 * GIB },
    zones: "b",
  }),
];

/** Regions that an account may use if nothing else is said. */
export const EMULATED_REGIONS: readonly string[] = ["us-east-1", "us-west-2", "eu-central-1"];
export const ZONE_LETTERS: readonly string[] = ["a", "b", "c"];

/** Machine images that every region has; the ids are the same everywhere, which the real ones are not. */
export interface EmulatedImage {
  readonly id: string;
  readonly name: string;
  readonly architecture: "x86_64" | "arm64";
  readonly rootDeviceName: string;
  readonly sizeGib: number;
  /** SSM parameters that name it. */
  readonly parameters: readonly string[];
}

const AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-";
const UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/";

export const EMULATED_IMAGES: readonly EmulatedImage[] = [
  image(
    "ami-0a1b2c3d4e5f60001",
    "al2023-ami-2023.9.20251110.1-kernel-6.12-x86_64",
    "x86_64",
    "/dev/xvda",
    8,
    `${AL2023}x86_64`,
  ),
  image(
    "ami-0a1b2c3d4e5f60002",
    "al2023-ami-2023.9.20251110.1-kernel-6.12-arm64",
    "arm64",
    "/dev/xvda",
    8,
    `${AL2023}arm64`,
  ),
  image(
    "ami-0a1b2c3d4e5f60003",
    "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251022",
    "x86_64",
    "/dev/sda1",
    8,
    `${UBUNTU}amd64/hvm/ebs-gp3/ami-id`,
  ),
  image(
    "ami-0a1b2c3d4e5f60004",
    "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251022",
    "arm64",
    "/dev/sda1",
    8,
    `${UBUNTU}arm64/hvm/ebs-gp3/ami-id`,
  ),
];

function image(
  id: string,
  name: string,
  architecture: EmulatedImage["architecture"],
  rootDeviceName: string,
  sizeGib: number,
  ...parameters: readonly string[]
): EmulatedImage {
  return { id, name, architecture, rootDeviceName, sizeGib, parameters };
}

export function typeOf(name: string): EmulatedType | undefined {
  return EMULATED_TYPES.find((type) => type.name === name);
}

/** Does a zone offer a machine type at all, apart from having capacity now? */
export function isOffered(type: EmulatedType, zone: string): boolean {
  return type.zones.includes(zone.slice(-1));
}
