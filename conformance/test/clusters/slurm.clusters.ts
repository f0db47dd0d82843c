import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@slipway/core";
import { limits } from "@slipway/provider-kit/limits";
import { slurm } from "@slipway/provider-slurm";
import { missingTools, type SlurmCluster, slurmCluster } from "@slipway/provider-slurm/testing";
import { afterAll, beforeAll, describe } from "vitest";
import type { Place } from "../jobs/clouds.ts";
import { provePlace } from "./prove-place.ts";

const missing = missingTools();
if (missing !== undefined && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

describe.skipIf(missing !== undefined)("a real Slurm", () => {
  let cluster: SlurmCluster;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-jobs-"));
    cluster = await slurmCluster();
  });
  afterAll(async () => {
    await cluster?.close();
    await rm(folder, { recursive: true, force: true });
  });

  provePlace("slurm", (): Place => {
    const { slurmConf, run } = cluster;
    const left = async (): Promise<number> => (await run("squeue", "-h", "-o", "%i")).split("\n").length - 1;
    // The cluster is nobody else's: its queue may be read as often as anybody asks.
    const runtime = { limits: limits({ clock: systemClock, provider: "slurm", buckets: [] }) };
    const provider = slurm({ owner: "jobs", slurmConf, partition: "main", runtime });
    // Its instances are jobs on the cluster's nodes, whose file system they share.
    return { provider, machine: {}, folder, left };
  });
});
