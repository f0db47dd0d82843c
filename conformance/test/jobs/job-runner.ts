import { memoryStore } from "@slipway/control";
import { type JobResult, type JobSpec, runJobs, type SshAccess } from "@slipway/reach";
import type { Place } from "./clouds.ts";

export const COUNT = 20;
const AT_ONCE = 5;

/** The first line of the table that `runJobsOn` gives rows of. */
export const HEADER = "provider         done       seconds";

export interface JobsRun {
  /** Its line in the table. */
  readonly row: string;
  /** What the runner saw of each job that is not what the job did. */
  readonly faults: readonly string[];
}

/** A newcomer's job runner: twenty commands with exit codes from 0 to 19, five at a time. The place is the one line that changes. */
export async function runJobsOn(name: string, place: Place, access: SshAccess): Promise<JobsRun> {
  const { provider, machine, folder = "" } = place;
  const jobs: readonly JobSpec[] = Array.from({ length: COUNT }, (_, at) => {
    const made = `${folder}/made-${at}`;
    return {
      key: `n${at}`,
      argv: ["/bin/sh", "-c", `cat ${made}; echo "out ${at}"; echo "err ${at}" >&2; exit ${at}`],
      options: { ...machine, bootstrap: { script: `echo by the bootstrap >${made}` } },
    };
  });
  const started = performance.now();
  const results = await runJobs(provider, jobs, { store: memoryStore(), access, concurrency: AT_ONCE });
  const faults = results.map(faultOf).filter((fault) => fault !== null);
  const done = results.length - faults.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const row = `${name.padEnd(16)} ${`${done} of ${COUNT}`.padEnd(10)} ${seconds.padStart(7)}`;
  return { row, faults: results.length === COUNT ? faults : [...faults, `${results.length} results of ${COUNT}`] };
}

/** Whether the runner saw what the command did, and why not. */
function faultOf(result: JobResult, at: number): string | null {
  if (result.state === "failed") return String(result.error);
  const { exitCode, stdout, stderr } = result.result;
  const seen = JSON.stringify({ exitCode, stdout, stderr, left: "leftover" in result });
  const wanted = { exitCode: at, stdout: `by the bootstrap\nout ${at}\n`, stderr: `err ${at}\n`, left: false };
  return seen === JSON.stringify(wanted) ? null : seen;
}
