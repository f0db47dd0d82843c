import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";

const HERE = path.join(import.meta.dirname, "runpod-mcp");
const CACHE = path.join(import.meta.dirname, "..", "..", "..", "node_modules", ".cache", "runpod-mcp");
const PROGRAM = path.join("node_modules", "@runpod", "mcp-server", "dist", "stdio.mjs");
const INSTALL_MS = 300_000;

/** The program of RunPod's own server for tools, at the version and with the hashes of its lockfile, installed at the first call. */
export async function runpodMcp(): Promise<string> {
  const wanted = await readFile(path.join(HERE, "package-lock.json"), "utf8");
  const home = path.join(CACHE, createHash("sha256").update(wanted).digest("hex").slice(0, 16));
  const program = path.join(home, PROGRAM);
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  // It gets its name when it is whole.
  const part = await mkdtemp(`${home}.`);
  try {
    for (const file of ["package.json", "package-lock.json"])
      await copyFile(path.join(HERE, file), path.join(part, file));
    // Where this machine's packages come from stands in its variables and in its home.
    const inherit = Object.keys(process.env).filter((name) => name !== "NODE_OPTIONS");
    const run = commandRunner({ inherit, defaults: { timeoutMs: INSTALL_MS, cwd: part } });
    const { exitCode, stderr } = await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    if (exitCode !== 0) throw new Error(`npm ci ended with ${exitCode}: ${stderr.slice(-2_000)}`);
    await rename(part, home).catch((error: unknown) => {
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return program;
}
