/** What a name of a GPU says, whoever wrote it. */
export interface GpuModel {
  /** As `a100` or `rtx4090`; the empty text if the name says nothing. */
  readonly model: string;
  readonly memoryGb?: number;
  readonly form?: "sxm" | "pcie" | "nvl";
}

// Words that tell no two GPUs apart.
const NOISE: ReadonlySet<string> = new Set(
  "nvidia amd tesla geforce quadro instinct gpu gpus generation tensor core edition oam hbm2 hbm2e hbm3 hbm3e ib n".split(
    " ",
  ),
);
// One GPU under two names.
const ALIASES: Readonly<Record<string, string>> = {
  rtxa2000: "a2000",
  rtxa4000: "a4000",
  rtxa4500: "a4500",
  rtxa5000: "a5000",
  rtxa6000: "a6000",
  "6000ada": "rtx6000ada",
  "3090": "rtx3090",
  "4090": "rtx4090",
  "5090": "rtx5090",
};
// What a name without a size means, where the vendor sells one size, or the first one has the plain name.
const PLAIN_MEMORY_GB: Readonly<Record<string, number>> = {
  a10: 24,
  a10g: 24,
  a100: 40,
  a30: 24,
  a40: 48,
  a6000: 48,
  h100: 80,
  h200: 141,
  l4: 24,
  l40: 48,
  l40s: 48,
  mi300x: 192,
  rtx3090: 24,
  rtx4090: 24,
  rtx5090: 32,
  rtx6000ada: 48,
  t4: 16,
  t4g: 16,
  v100: 16,
};

/**
 * Reads any remote's name of a GPU: `NVIDIA A10`, `a10` and `gpu_1x_a10` are one thing.
 *
 * @example
 * ```ts
 * gpuModel("gpu_1x_a10").model === gpuModel("NVIDIA A10").model; // => true
 * ```
 */
export function gpuModel(name: string): GpuModel {
  const words =
    name
      .toLowerCase()
      .replace(/(\d+)\s*g[bi]?b?\b/g, " $1gb ")
      .match(/[a-z0-9]+/g) ?? [];
  const model: string[] = [];
  let memoryGb: number | undefined;
  let form: GpuModel["form"];
  for (const word of words) {
    const size = /^(\d+)gb$/.exec(word)?.[1];
    const shape = /^(sxm|pcie|nvl)\d?$/.exec(word)?.[1];
    if (size !== undefined) memoryGb = Number(size);
    else if (shape === "sxm" || shape === "pcie" || shape === "nvl") form = shape;
    // A count, as in `8x`, is not the GPU's.
    else if (!NOISE.has(word) && !/^\d+x$/.test(word)) model.push(word);
  }
  const joined = model.join("");
  return {
    model: ALIASES[joined] ?? joined,
    ...(memoryGb === undefined ? {} : { memoryGb }),
    ...(form === undefined ? {} : { form }),
  };
}

/**
 * Is this GPU what was asked for? `exact`: both names say the same. `variant`: it is, and its name says more, as the size of
 * its memory. Null: it is another one, or it may be: what was asked for must be said of it.
 *
 * @example
 * ```ts
 * gpuFit("h100", "NVIDIA H100 80GB HBM3"); // => "variant"
 * gpuFit("h100", "NVIDIA A10"); // => null
 * ```
 */
export function gpuFit(asked: string, has: string): "exact" | "variant" | null {
  const [wanted, found] = [gpuModel(asked), gpuModel(has)];
  if (wanted.model === "" || wanted.model !== found.model) return null;
  if (wanted.form !== undefined && wanted.form !== found.form) return null;
  const memoryGb = found.memoryGb ?? PLAIN_MEMORY_GB[found.model];
  if (wanted.memoryGb !== undefined && wanted.memoryGb !== memoryGb) return null;
  const saysMore = (found.memoryGb !== undefined && wanted.memoryGb === undefined) || wanted.form !== found.form;
  return saysMore ? "variant" : "exact";
}
