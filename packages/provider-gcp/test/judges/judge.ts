import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { pythonWithClients } from "slipway-python-clients";
import { z } from "zod";

const HERE = import.meta.dirname;
const JUDGE_MS = 240_000;

const verdict = z.object({ calls: z.number(), failures: z.array(z.string()) });

export interface Verdict {
  readonly calls: number;
  readonly failures: readonly string[];
}

/** Runs one of the program's judgements with Google's own clients and their document. */
export async function judged(...args: readonly string[]): Promise<Verdict> {
  const python = await pythonWithClients();
  const run = commandRunner({ defaults: { timeoutMs: JUDGE_MS } });
  const { stdout, stderr, exitCode } = await run(python, [path.join(HERE, "judge.py"), ...args]);
  if (exitCode !== 0) throw new Error(`the judge ended with ${exitCode}: ${stderr.slice(-2_000)}`);
  const found = verdict.parse(JSON.parse(stdout));
  process.stdout.write(`judge ${args[0]}: ${found.calls} calls, ${found.failures.length} failures; ${stderr.trim()}\n`);
  return found;
}
