import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, describe, it } from "vitest";
import { judgeSession } from "../reach-places.ts";
import { PLACES } from "./clouds.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

describe.skipIf(missing !== null)("a session keeps every promise", () => {
  let directory: string;
  let machines: OpenMachines;
  let identityFile: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-reach-"));
    const open = await openMachines("light");
    if (open === null) throw new Error("there are no machines");
    machines = open;
    identityFile = join(directory, "key");
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
    if (made.status !== 0) throw new Error(made.stderr.toString());
  });
  afterAll(async () => {
    await machines.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.concurrent.for(Object.entries(PLACES))("into %s", async ([, placeIn], { expect, onTestFinished }) => {
    const place = placeIn(machines, directory, false);
    if (place.close !== undefined) onTestFinished(place.close);
    const access = { identityFile, endpoint: machines.endpoint };
    const { via, faults, skipped } = await judgeSession(place.provider, place.machine, access);
    expect(faults).toEqual([]);
    // A provider's own exec has no connection that could be cut.
    expect(skipped).toEqual(via === "native" ? ["job.cut"] : []);
    expect(await place.left()).toBe(0);
  });
});
