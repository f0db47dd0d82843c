import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { pythonWithClients } from "slipway-python-clients";

const HERE = import.meta.dirname;
const CLIENT_MS = 240_000;

/** Runs a program of this folder with clients that nobody here wrote, and returns what it printed as JSON. */
export async function runForeign(program: string, variables: Readonly<Record<string, string>>): Promise<unknown> {
  const run = commandRunner({ defaults: { timeoutMs: CLIENT_MS } });
  const python = await pythonWithClients();
  const { stdout, stderr, exitCode } = await run(python, ["-B", path.join(HERE, program)], { env: variables });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout);
}
