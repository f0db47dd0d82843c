import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { z } from "zod";

const PINNED = path.join(import.meta.dirname, "module");
const MODULE = ["go.mod", "go.sum"];
const PROGRAM = ["main.go", "gpus.go", "crossing.go"];
const KUBERNETES = "k8s.io/kubernetes";
const GO_MS = 600_000;

/** The text from which the servers are built. */
export interface GoModule {
  readonly version: string;
  readonly files: ReadonlyMap<string, string>;
}

/** What is built by default, with the checksums that stand in this repository. */
export async function pinnedModule(): Promise<GoModule> {
  const files = await readAll(PINNED, [...MODULE, ...PROGRAM], ".txt");
  const version = /k8s\.io\/kubernetes v(\d+\.\d+\.\d+)/.exec(files.get("go.mod") ?? "")?.[1];
  if (version === undefined) throw new Error("go.mod.txt names no version of k8s.io/kubernetes");
  return { version, files };
}

/** The minor version before the pinned one. */
export async function minorBefore(): Promise<string> {
  const [major, minor] = (await pinnedModule()).version.split(".");
  return `${major}.${Number(minor) - 1}`;
}

/** The same program over the newest patch of another minor version, as `1.36`; its checksums come from Go's own database. */
export async function moduleOfMinor(minor: string, cache: string): Promise<GoModule> {
  const version = await newestOf(minor);
  const program = await readAll(PINNED, PROGRAM, ".txt");
  const digest = createHash("sha256")
    .update([...program.values()].join(""))
    .digest("hex")
    .slice(0, 12);
  const kept = path.join(cache, version, `module-${digest}`);
  if (!existsSync(kept)) await tidied(version, program, kept);
  return { version, files: new Map([...(await readAll(kept, MODULE, "")), ...program]) };
}

async function newestOf(minor: string): Promise<string> {
  if (!/^\d+\.\d+$/.test(minor)) throw new Error(`${minor} is no minor version of Kubernetes: give one as 1.36`);
  const versions = (await go(undefined, "list", "-m", "-versions", KUBERNETES)).trim().split(" ");
  const patches = versions.flatMap((version) => {
    const [, found, patch] = /^v(\d+\.\d+)\.(\d+)$/.exec(version) ?? [];
    return found === minor ? [Number(patch)] : [];
  });
  if (patches.length === 0) throw new Error(`there is no module of Kubernetes ${minor}`);
  return `${minor}.${Math.max(...patches)}`;
}

/** Kubernetes' own module says `v0.0.0` of the parts that it is developed with: each has a version of its own, as v0.36.3. */
async function tidied(version: string, program: ReadonlyMap<string, string>, kept: string): Promise<void> {
  const downloaded = await go(undefined, "mod", "download", "-json", `${KUBERNETES}@v${version}`);
  const { GoMod } = z.object({ GoMod: z.string() }).parse(JSON.parse(downloaded));
  const upstream = await readFile(GoMod, "utf8");
  const parts = [...upstream.matchAll(/^\s+(k8s\.io\/\S+) v0\.0\.0$/gm)].map(([, name = ""]) => name);
  const replaced = parts.map((name) => `\t${name} => ${name} v0.${version.slice(version.indexOf(".") + 1)}\n`).join("");
  const first = ["module kubernetes-for-tests", /^go .*$/m.exec(upstream)?.[0], `require ${KUBERNETES} v${version}`];
  await mkdir(path.dirname(kept), { recursive: true });
  const work = await mkdtemp(`${kept}-`);
  try {
    for (const [file, text] of program) await writeFile(path.join(work, file), text);
    await writeFile(path.join(work, "go.mod"), `${first.join("\n\n")}\n\nreplace (\n${replaced})\n`);
    await go(work, "mod", "tidy");
    // Whole or not at all, also where two do it at once.
    await rename(work, kept).catch((error: unknown) => {
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function go(cwd: string | undefined, ...args: readonly string[]): Promise<string> {
  const run = commandRunner({ inherit: Object.keys(process.env), defaults: { timeoutMs: GO_MS } });
  const { exitCode, stdout, stderr } = await run("go", args, {
    env: { GOFLAGS: "-mod=mod" },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (exitCode !== 0) throw new Error(`go ${args.join(" ")}: ${stderr.slice(-2_000)}`);
  return stdout;
}

async function readAll(folder: string, names: readonly string[], suffix: string): Promise<ReadonlyMap<string, string>> {
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(path.join(folder, `${name}${suffix}`), "utf8")] as const),
    ),
  );
}
