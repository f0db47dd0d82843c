import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "@slipway/control";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { type JobResult, type JobSpec, runJobs, type SshAccess } from "@slipway/reach";
import { afterAll, beforeAll, describe, it } from "vitest";
import { PLACES, type Place } from "./clouds.ts";

// The soak takes them as they are on a cloud: read by cloud-init, behind a remote that lags.
const isSoak = process.env["SLIPWAY_JOBS_SOAK"] === "1";
const kind = isSoak ? "real" : "light";
const missing = await machinesMissing(kind);
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const COUNT = 20;
const AT_ONCE = 5;
const rows = new Map<string, string>();

/** A newcomer's job runner: twenty commands with exit codes from 0 to 19, five at a time. */
async function runThem({ provider, machine }: Place, access: SshAccess): Promise<readonly JobResult[]> {
  const jobs: readonly JobSpec[] = Array.from({ length: COUNT }, (_, at) => ({
    key: `n${at}`,
    argv: ["/bin/sh", "-c", `cat /made; echo "out ${at}"; echo "err ${at}" >&2; exit ${at}`],
    options: { ...machine, bootstrap: { script: "echo by the bootstrap >/made" } },
  }));
  return await runJobs(provider, jobs, { store: memoryStore(), access, concurrency: AT_ONCE });
}

/** Whether the runner saw what the command did, and why not. */
function faultOf(result: JobResult, at: number): string | null {
  if (result.state === "failed") return String(result.error);
  const { exitCode, stdout, stderr } = result.result;
  const seen = JSON.stringify({ exitCode, stdout, stderr, left: "leftover" in result });
  const wanted = { exitCode: at, stdout: `by the bootstrap\nout ${at}\n`, stderr: `err ${at}\n`, left: false };
  return seen === JSON.stringify(wanted) ? null : seen;
}

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
      `${[`${kind} machines${isSoak ? ", with lag" : ""}`, "provider         done       seconds", ...Object.keys(PLACES).flatMap((name) => rows.get(name) ?? [])].join("\n")}\n`,
    );
  });

  it.concurrent.for(Object.entries(PLACES))("on %s", async ([name, placeIn], { expect, onTestFinished }) => {
    const place = placeIn(machines, directory, isSoak);
    if (place.close !== undefined) onTestFinished(place.close);
    const started = performance.now();
    const results = await runThem(place, access);
    const faults = results.map(faultOf).filter((fault) => fault !== null);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    rows.set(name, `${name.padEnd(16)} ${`${COUNT - faults.length} of ${COUNT}`.padEnd(10)} ${seconds.padStart(7)}`);
    expect(faults).toEqual([]);
    expect(results).toHaveLength(COUNT);
    expect(await place.provider.list()).toEqual([]);
    expect(place.left()).toBe(0);
  });
});
