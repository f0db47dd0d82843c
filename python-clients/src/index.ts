import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const HOME = path.join(import.meta.dirname, "..");
const REQUIREMENTS = path.join(HOME, "requirements.txt");
const CACHE = path.join(HOME, "node_modules", ".cache", "python-clients");
const INSTALL_MS = 600_000;

/**
 * The Python of a virtual environment with exactly what the requirements name, installed at the first call; another one for
 * other requirements. Rejects where Python or its packages cannot be had.
 */
export async function pythonWithClients(): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, "utf8");
  const home = path.join(CACHE, createHash("sha256").update(wanted).digest("hex").slice(0, 16));
  const python = path.join(home, "bin", "python");
  if (existsSync(python)) return python;
  await mkdir(CACHE, { recursive: true });
  // It gets its name when it is whole, whoever else installs meanwhile.
  const part = await mkdtemp(`${home}.`);
  try {
    await execute("python3", ["-m", "venv", part]);
    const pip = ["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "-r", REQUIREMENTS];
    await execute(path.join(part, "bin", "python"), pip);
    await rename(part, home).catch((error: unknown) => {
      if (!existsSync(python)) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return python;
}

/** Rejects with what it says on stderr if it fails. */
async function execute(program: string, args: readonly string[]): Promise<void> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...pipEnvironment() };
  await promisify(execFile)(program, args, { env, timeout: INSTALL_MS, killSignal: "SIGKILL" });
}

/** Where this machine's packages come from, and through which proxy. */
function pipEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(pip_|https?_proxy$|no_proxy$|ssl_cert_|requests_ca_)/i.test(entry[0]),
    ),
  );
}
