import { gpuFit, gpuModel } from "@slipway/core/gpu-names";
import { describe, expect, test } from "vitest";

// Each line: names that remotes really use for one GPU.
const SAME: readonly (readonly string[])[] = [
  ["NVIDIA A10", "a10", "gpu_1x_a10", "nvidia-a10", "A10 (24 GB PCIe)"],
  ["a10g", "NVIDIA A10G", "A10G Tensor Core GPU"],
  ["NVIDIA A100-SXM4-80GB", "gpu_8x_a100_80gb_sxm4", "A100 (80 GB SXM4)", "NVIDIA A100 SXM4 80GB"],
  ["nvidia-a100-80gb", "a100-80gb", "A100 80GB"],
  ["nvidia-tesla-a100", "a100", "gpu_1x_a100"],
  ["NVIDIA H100 80GB HBM3", "nvidia-h100-80gb"],
  ["NVIDIA H100 PCIe", "gpu_1x_h100_pcie"],
  ["NVIDIA GeForce RTX 4090", "RTX 4090", "rtx4090", "4090"],
  ["NVIDIA RTX A6000", "gpu_1x_a6000", "a6000"],
  ["NVIDIA RTX 6000 Ada Generation", "rtx6000ada"],
  ["nvidia-tesla-t4", "T4", "tesla t4"],
  ["NVIDIA L40S", "l40s"],
  ["gpu_8x_v100_n", "nvidia-tesla-v100", "V100"],
  ["AMD Instinct MI300X OAM", "mi300x"],
];

describe("names of GPUs", () => {
  test.each(SAME)("%s and its other names are one thing", (...names) => {
    const [first = ""] = names;
    for (const name of names) expect(`${name}: ${gpuModel(name).model}`).toBe(`${name}: ${gpuModel(first).model}`);
  });

  test("no two lines are the same model, but for the sizes of one", () => {
    const models = SAME.map(([first = ""]) => gpuModel(first).model);
    expect(new Set(models).size).toBe(models.length - 3);
    expect(gpuFit("a10", "a10g")).toBeNull();
    expect(gpuFit("a10", "a100")).toBeNull();
    expect(gpuFit("l40", "l40s")).toBeNull();
    expect(gpuFit("", "a10")).toBeNull();
  });

  test("what was asked for must be said of it; what was not asked for may be anything", () => {
    expect(gpuFit("a100", "nvidia-tesla-a100")).toBe("exact");
    expect(gpuFit("a100", "NVIDIA A100-SXM4-80GB")).toBe("variant");
    expect(gpuFit("a100-80gb", "NVIDIA A100-SXM4-80GB")).toBe("variant");
    expect(gpuFit("A100 SXM 80 GB", "NVIDIA A100-SXM4-80GB")).toBe("exact");
    expect(gpuFit("a100-80gb", "nvidia-tesla-a100")).toBeNull();
    expect(gpuFit("a100-40gb", "nvidia-tesla-a100")).toBe("exact");
    expect(gpuFit("h100-sxm", "NVIDIA H100 PCIe")).toBeNull();
    expect(gpuFit("h100-sxm", "h100")).toBeNull();
    expect(gpuFit("h100-80gb", "h100")).toBe("exact");
    expect(gpuFit("b200-180gb", "b200")).toBeNull();
  });

  test("a GPU that nobody here knows is known by its own words", () => {
    expect(gpuFit("acme x1", "ACME-X1")).toBe("exact");
    expect(gpuFit("acme x1", "acme x2")).toBeNull();
  });
});
