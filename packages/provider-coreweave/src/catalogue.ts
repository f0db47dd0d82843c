import type { MachineCatalogue, MachineType } from "@slipway/provider-kubernetes";

const GIB = 1024 ** 3;

function gpuNode(count: number, type: string, cpus: number, gib: number, usdPerHour?: number): MachineType {
  return { cpus, memoryBytes: gib * GIB, gpus: { type, count }, usdPerHour };
}

function cpuNode(cpus: number, gib: number, usdPerHour: number): MachineType {
  return { cpus, memoryBytes: gib * GIB, usdPerHour };
}

/**
 * CoreWeave's Instance IDs with what a node of each has. Prices: list, on demand, North America, US dollars an hour, as
 * https://www.coreweave.com/pricing showed them on the date below. CoreWeave has no API that states prices; those that it
 * gives on request only are absent.
 */
export const CATALOGUE: MachineCatalogue = {
  pricesAsOf: "2026-10-04T00:00:00Z",
  types: {
    "b200-8x": gpuNode(8, "B200", 128, 2048, 68.8),
    "b300-8x": gpuNode(8, "B300", 192, 4096),
    "gb200-4x": gpuNode(4, "GB200", 144, 960, 42),
    "gb300-4x": gpuNode(4, "GB300", 144, 960),
    "gb300-4x-e": gpuNode(4, "GB300", 144, 960),
    "gd-8xh200ib-i128": gpuNode(8, "H200", 128, 2048, 50.44),
    "gd-8xh100ib-i128": gpuNode(8, "H100", 128, 2048, 49.24),
    "gd-8xa100-i128": gpuNode(8, "A100", 128, 2048, 21.6),
    "gd-8xl40s-i128": gpuNode(8, "L40S", 128, 1024, 18),
    "gd-8xl40-i128": gpuNode(8, "L40", 128, 1024, 10),
    "rtxp6000-8x": gpuNode(8, "RTXP6000", 128, 1024, 20),
    "gd-1xgh200": gpuNode(1, "GH200", 72, 480, 6.5),
    "cd-hp-a96-genoa": cpuNode(96, 768, 6.42),
    "cd-gp-a192-genoa": cpuNode(192, 1536, 7.78),
    "cd-gp-l-a192-genoa": cpuNode(192, 1536, 8.86),
    "cd-hc-a384-genoa": cpuNode(384, 1536, 7.54),
    "turin-gp": cpuNode(192, 1536, 8.18),
    "turin-gp-l": cpuNode(192, 1536, 9.31),
    "cd-gp-i64-erapids": cpuNode(64, 512, 5.31),
    "cd-gp-i96-icelake": cpuNode(96, 384, 3.36),
  },
};
