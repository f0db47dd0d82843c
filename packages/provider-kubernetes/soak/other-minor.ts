import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { MINOR_VARIABLE, minorBefore } from "slipway-kubernetes-cluster";

const PACKAGE = path.join(import.meta.dirname, "..");

/** `--minor` alone is the minor version before the pinned one; `--minor 1.35` is that one. */
export async function minorIn(args: readonly string[]): Promise<{ minor: string | undefined; rest: string[] }> {
  const at = args.indexOf("--minor");
  if (at === -1) return { minor: undefined, rest: [...args] };
  const named = args[at + 1];
  const isNamed = named !== undefined && !named.startsWith("-");
  return {
    minor: isNamed ? named : await minorBefore(),
    rest: args.toSpliced(at, isNamed ? 2 : 1),
  };
}

/** The contract suite, and what only a real server shows, on the servers of that version. False if something failed. */
export async function suitePasses(minor: string): Promise<boolean> {
  const vitest = path.join(PACKAGE, "node_modules", ".bin", "vitest");
  const env = { ...process.env, [MINOR_VARIABLE]: minor };
  const suite = spawn(vitest, ["run", "--config", "vitest.cluster.config.ts"], { cwd: PACKAGE, env, stdio: "inherit" });
  const [code]: unknown[] = await once(suite, "close");
  return code === 0;
}
