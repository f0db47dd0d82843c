import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll } from "vitest";

/** Why there can be no machines here; null where there can. Where tools are required that is an error. */
export const missing: string | null = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

export interface TestMachines {
  readonly directory: string;
  readonly machines: OpenMachines;
  readonly identityFile: string;
}

/** Machines of the kind `light` and a key, for the tests of one `describe`. */
export function useMachines(): () => TestMachines {
  let opened: TestMachines | undefined;
  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-jobs-"));
    const machines = await openMachines("light");
    if (machines === null) throw new Error("there are no machines");
    const identityFile = join(directory, "key");
    opened = { directory, machines, identityFile };
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
    if (made.status !== 0) throw new Error(made.stderr.toString());
  });
  afterAll(async () => {
    if (opened === undefined) return;
    await opened.machines.close();
    await rm(opened.directory, { recursive: true, force: true });
  });
  return () => {
    if (opened === undefined) throw new Error("the machines are not open yet");
    return opened;
  };
}
