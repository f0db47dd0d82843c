import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { z } from "zod";

const HERE = import.meta.dirname;
const REQUIREMENTS = path.join(HERE, "requirements.txt");
const CACHE = path.join(HERE, "..", "..", "node_modules", ".cache", "judges");
const INSTALL_MS = 300_000;
const JUDGE_MS = 240_000;

const verdict = z.object({ calls: z.number(), failures: z.array(z.string()) });

export interface Verdict {
  readonly calls: number;
  readonly failures: readonly string[];
}

/** Runs one of the program's judgements with Google's own clients and their document, installed once. */
export async function judged(...args: readonly string[]): Promise<Verdict> {
  const python = await installed();
  const run = commandRunner({ defaults: { timeoutMs: JUDGE_MS } });
  const { stdout, stderr, exitCode } = await run(python, [path.join(HERE, "judge.py"), ...args]);
  if (exitCode !== 0) throw new Error(`the judge ended with ${exitCode}: ${stderr.slice(-2_000)}`);
  const found = verdict.parse(JSON.parse(stdout));
  process.stdout.write(`judge ${args[0]}: ${found.calls} calls, ${found.failures.length} failures; ${stderr.trim()}\n`);
  return found;
}

/** A virtual environment with exactly what the requirements name; another one for other requirements. */
async function installed(): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, "utf8");
  const home = path.join(CACHE, createHash("sha256").update(wanted).digest("hex").slice(0, 16));
  const python = path.join(home, "bin", "python");
  const complete = path.join(home, "complete");
  if (existsSync(complete)) return python;
  await rm(home, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  const run = commandRunner({ defaults: { timeoutMs: INSTALL_MS, env: pipEnvironment() } });
  await run("python3", ["-m", "venv", home]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]);
  await writeFile(complete, "");
  return python;
}

/** Where this machine's packages come from, and through which proxy. */
function pipEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(pip_|https?_proxy$|no_proxy$|ssl_cert_|requests_ca_)/i.test(entry[0]),
    ),
  );
}
