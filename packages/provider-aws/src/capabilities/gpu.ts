import type { GpuOptions } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";

/** One size of a machine with accelerators. */
interface GpuSize {
  readonly size: string;
  readonly count: number;
}

/** A family of machines with one kind of accelerator. */
interface GpuFamily {
  readonly family: string;
  /** As callers name it, in lower case; AWS's own names differ in spelling between its pages. */
  readonly accelerator: string;
  readonly arm?: true;
  /** The smallest first: where the count is the same, that is the cheapest. */
  readonly sizes: readonly GpuSize[];
}

const sizes = (counts: Readonly<Record<string, number>>): readonly GpuSize[] =>
  Object.entries(counts).map(([size, count]) => ({ size, count }));

/**
 * What EC2 sells, the cheapest family first. Data, not a call: the choice is part of the request, and two processes must
 * choose alike. A type that is not here is asked for by `spec`.
 */
const FAMILIES: readonly GpuFamily[] = [
  { family: "g5g", accelerator: "t4g", arm: true, sizes: sizes({ xlarge: 1, "16xlarge": 2, metal: 2 }) },
  {
    family: "g4dn",
    accelerator: "t4",
    sizes: sizes({ xlarge: 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "16xlarge": 1, "12xlarge": 4, metal: 8 }),
  },
  {
    family: "g6",
    accelerator: "l4",
    sizes: sizes({
      xlarge: 1,
      "2xlarge": 1,
      "4xlarge": 1,
      "8xlarge": 1,
      "16xlarge": 1,
      "12xlarge": 4,
      "24xlarge": 4,
      "48xlarge": 8,
    }),
  },
  {
    family: "g5",
    accelerator: "a10g",
    sizes: sizes({
      xlarge: 1,
      "2xlarge": 1,
      "4xlarge": 1,
      "8xlarge": 1,
      "16xlarge": 1,
      "12xlarge": 4,
      "24xlarge": 4,
      "48xlarge": 8,
    }),
  },
  {
    family: "g6e",
    accelerator: "l40s",
    sizes: sizes({
      xlarge: 1,
      "2xlarge": 1,
      "4xlarge": 1,
      "8xlarge": 1,
      "16xlarge": 1,
      "12xlarge": 4,
      "24xlarge": 4,
      "48xlarge": 8,
    }),
  },
  { family: "p3", accelerator: "v100", sizes: sizes({ "2xlarge": 1, "8xlarge": 4, "16xlarge": 8 }) },
  { family: "p4d", accelerator: "a100", sizes: sizes({ "24xlarge": 8 }) },
  { family: "p4de", accelerator: "a100-80gb", sizes: sizes({ "24xlarge": 8 }) },
  { family: "p5", accelerator: "h100", sizes: sizes({ "4xlarge": 1, "48xlarge": 8 }) },
  { family: "p5en", accelerator: "h200", sizes: sizes({ "48xlarge": 8 }) },
  { family: "p6-b200", accelerator: "b200", sizes: sizes({ "48xlarge": 8 }) },
];

/** The machine types with exactly so many accelerators of the kind, the cheapest first; empty if there is none. */
export function gpuTypesOf({ type, count }: GpuOptions): readonly string[] {
  const families =
    type === undefined
      ? FAMILIES.filter(({ arm }) => arm !== true)
      : // The plain name means the plain one first.
        (["exact", "variant"] as const).flatMap((fit) =>
          FAMILIES.filter(({ accelerator }) => gpuFit(type, accelerator) === fit),
        );
  return families.flatMap(({ family, sizes: all }) =>
    all.filter((one) => one.count === count).map(({ size }) => `${family}.${size}`),
  );
}

/** What is for sale, in words. */
export function knownGpus(): string {
  return FAMILIES.map(({ accelerator, sizes: all }) => `${accelerator} (${countsOf(all)})`).join(", ");
}

/** What accelerators a machine type has; undefined where it has none or is not in the table. */
export function gpusOf(instanceType: string): { readonly type: string; readonly count: number } | undefined {
  const [family, size] = instanceType.split(".");
  const known = FAMILIES.find((one) => one.family === family);
  const found = known?.sizes.find((one) => one.size === size);
  return known === undefined || found === undefined ? undefined : { type: known.accelerator, count: found.count };
}

/** Does a machine type of the caller's own choice have what `gpu` asks for? False where the table does not know it. */
export function fitsGpu(instanceType: string, gpu: GpuOptions): boolean {
  const has = gpusOf(instanceType);
  return (
    has !== undefined && has.count === gpu.count && (gpu.type === undefined || gpuFit(gpu.type, has.type) !== null)
  );
}

function countsOf(all: readonly GpuSize[]): string {
  return [...new Set(all.map(({ count }) => count))].join(" or ");
}
