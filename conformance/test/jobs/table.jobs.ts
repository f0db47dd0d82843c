import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import type { SshAccess } from "@slipway/reach";
import { afterAll, beforeAll, describe, it } from "vitest";
import { PLACES } from "./clouds.ts";
import { COUNT, HEADER, runJobsOn } from "./job-runner.ts";

// The soak takes them as they are on a cloud: read by cloud-init, behind a remote that lags.
const isSoak = process.env["SLIPWAY_JOBS_SOAK"] === "1";
const kind = isSoak ? "real" : "light";
const missing = await machinesMissing(kind);
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const rows = new Map<string, string>();

describe.skipIf(missing !== null)(`the job runner does ${COUNT} of ${COUNT} after one changed line`, () => {
  let directory: string;
  let machines: OpenMachines;
  let access: SshAccess;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-jobs-"));
    const open = await openMachines(kind);
    if (open === null) throw new Error("there are no machines");
    machines = open;
    const identityFile = join(directory, "key");
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
    if (made.status !== 0) throw new Error(made.stderr.toString());
    access = { identityFile, endpoint: machines.endpoint };
  });
  afterAll(async () => {
    await machines.close();
    await rm(directory, { recursive: true, force: true });
    process.stdout.write(
      `${[`${kind} machines${isSoak ? ", with lag" : ""}`, HEADER, ...Object.keys(PLACES).flatMap((name) => rows.get(name) ?? [])].join("\n")}\n`,
    );
  });

  it.concurrent.for(Object.entries(PLACES))("on %s", async ([name, placeIn], { expect, onTestFinished }) => {
    const place = placeIn(machines, directory, isSoak);
    if (place.close !== undefined) onTestFinished(place.close);
    const { row, faults } = await runJobsOn(name, place, access);
    rows.set(name, row);
    expect(faults).toEqual([]);
    expect(await place.provider.list()).toEqual([]);
    expect(await place.left()).toBe(0);
  });
});
