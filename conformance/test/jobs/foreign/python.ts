import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";

const HERE = import.meta.dirname;
const REQUIREMENTS = path.join(HERE, "requirements.txt");
const CACHE = path.join(HERE, "..", "..", "..", "node_modules", ".cache", "foreign-clients");
const INSTALL_MS = 300_000;
const CLIENT_MS = 240_000;

/** Runs a program of this folder with the clients that the requirements name, and returns what it printed as JSON. */
export async function runForeign(program: string, variables: Readonly<Record<string, string>>): Promise<unknown> {
  const run = commandRunner({ defaults: { timeoutMs: CLIENT_MS } });
  const python = await installed();
  const { stdout, stderr, exitCode } = await run(python, [path.join(HERE, program)], { env: variables });
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout);
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
