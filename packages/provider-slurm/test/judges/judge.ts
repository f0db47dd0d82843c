import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { commandRunner } from "@slipway/provider-kit/command";
import { pythonWithClients } from "slipway-python-clients";
import { z } from "zod";

const HERE = import.meta.dirname;
const QUEUE_MS = 120_000;

interface Jobs {
  readonly submitit: readonly string[];
  readonly dask: readonly string[];
}
interface Results {
  readonly results: readonly number[];
  readonly total: number;
}
const running: z.ZodType<Jobs> = z.object({ submitit: z.array(z.string()), dask: z.array(z.string()) });
const ended: z.ZodType<Results> = z.object({ results: z.array(z.number()), total: z.number() });

export interface Judge {
  /** The job numbers of the two launchers; all of them run. */
  readonly jobs: Jobs;
  /** Lets their jobs end, and gives what came of them. */
  readonly finish: () => Promise<Results>;
  readonly kill: () => void;
}

/** Starts submitit and dask-jobqueue with the variables of a cluster. */
export async function startJudge(directory: string, count: number, env: Record<string, string>): Promise<Judge> {
  const python = await pythonWithClients();
  const child = spawn(python, ["-B", path.join(HERE, "judge.py"), directory, String(count)], {
    env,
    cwd: directory,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the judge ended: ${said}`);
    return JSON.parse(value);
  };
  const kill = (): void => endOf(child);
  try {
    const jobs = running.parse(await next());
    const finish = async () => {
      child.stdin.end("\n");
      return ended.parse(await next());
    };
    return { jobs, finish, kill };
  } catch (error) {
    kill();
    throw error;
  }
}

/** Lets one of them submit jobs to a closed partition, and cancel them. The number of its jobs. */
export async function queueWith(
  launcher: "submitit" | "dask-jobqueue",
  directory: string,
  count: number,
  env: Record<string, string>,
): Promise<number> {
  const run = commandRunner({ defaults: { timeoutMs: QUEUE_MS, env } });
  const words = ["-B", path.join(HERE, "closed_partition.py"), directory, String(count), launcher];
  const { exitCode, stdout, stderr } = await run(await pythonWithClients(), words);
  if (exitCode !== 0) throw new Error(`${launcher} ended with ${exitCode}: ${stderr.slice(-2_000)}`);
  return Number(stdout.trim().split("\n").at(-1));
}

function endOf(child: ChildProcess): void {
  if (child.exitCode === null) child.kill("SIGKILL");
}
