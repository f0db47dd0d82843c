import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { type Contender, interleaved } from "./measure.ts";
import { type Aim, atMost, medianOf, rowsOf, type Suite } from "./report.ts";

const PROGRAM = join(dirname(createRequire(import.meta.url).resolve("slipway/package.json")), "bin", "slipway.js");
const PACKAGES = join(import.meta.dirname, "..", "..", "packages");
const NODE = "node, an empty module";
const VERSION = "slipway --version";
const LIST = "slipway list, local alone";
const LIST_OF_ALL = "slipway list, all providers installed";

/** A program that ended: its CPU time in ms, and how many files with code it loaded. */
interface Taken {
  readonly cpu: number;
  readonly modules: number;
}

/** What the command costs at each start, in CPU time, beside node itself; and how many files it loads, which no machine changes. */
export async function commandStarts(quick: boolean): Promise<Suite> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-command-"));
  try {
    const alone = await project(directory, "alone", ["provider-local"]);
    const providers = (await readdir(PACKAGES)).filter(
      (name) => name.startsWith("provider-") && name !== "provider-kit",
    );
    const all = await project(directory, "all", providers);
    const runs: Readonly<Record<string, () => Promise<Taken>>> = {
      [NODE]: () => run(alone, [join(import.meta.dirname, "empty-module.mjs")]),
      [VERSION]: () => run(alone, [PROGRAM, "--version"]),
      [LIST]: () => run(alone, [PROGRAM, "list"]),
      [LIST_OF_ALL]: () => run(all, [PROGRAM, "list"]),
    };
    const contenders = Object.entries(runs).map(
      ([name, each]): Contender => ({ name, sample: async () => (await each()).cpu }),
    );
    const rows = rowsOf(await interleaved(contenders, quick ? 3 : 21), NODE);
    const modules = async (name: string): Promise<number> => (await runs[name]?.())?.modules ?? Number.NaN;
    // Beside node's own start, which took 20 ms where the aims of 45 and 80 ms were set.
    const toNode = (name: string): number => medianOf(rows, name) / medianOf(rows, NODE);
    return {
      title: "the command, CPU time of a whole run",
      unit: "ms",
      rows,
      aims: [
        atMost("--version, against node, ratio", toNode(VERSION), 2.25),
        atMost("list, against node, ratio", toNode(LIST), 4),
        atMost("list with all installed, against list, ratio", medianOf(rows, LIST_OF_ALL) / medianOf(rows, LIST), 1.3),
        counted("files that --version loads", await modules(VERSION), 16),
        counted("files that list loads", await modules(LIST), 36),
        counted("files that list loads, all installed", await modules(LIST_OF_ALL), 40),
      ],
      notes: [],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const counted = (aim: string, value: number, limit: number): Aim => ({ ...atMost(aim, value, limit), isCount: true });

/** A directory of a user who has these packages, and nothing else. */
async function project(directory: string, name: string, packages: readonly string[]): Promise<string> {
  const place = join(directory, name);
  await mkdir(join(place, "node_modules", "@slipway"), { recursive: true });
  const dependencies = Object.fromEntries(packages.map((each) => [`@slipway/${each}`, "*"]));
  await writeFile(join(place, "package.json"), JSON.stringify({ name, private: true, type: "module", dependencies }));
  for (const each of packages) await symlink(join(PACKAGES, each), join(place, "node_modules", "@slipway", each));
  return place;
}

/** A fresh process with a home of its own and no variable of this one. */
async function run(place: string, argv: readonly string[]): Promise<Taken> {
  const probe = join(import.meta.dirname, "program-probe.mjs");
  const child = spawn(process.execPath, ["--import", probe, ...argv], {
    cwd: place,
    env: { PATH: process.env["PATH"], HOME: place },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const report = child.stdio[3];
  if (child.stderr === null || report === null || report === undefined || !("readable" in report)) {
    throw new Error("the program has no pipe");
  }
  const [said, taken, [exitCode]] = await Promise.all([text(child.stderr), text(report), once(child, "close")]);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${said}`);
  const { cpu, modules }: Record<string, unknown> = Object(JSON.parse(taken));
  if (typeof cpu !== "number" || typeof modules !== "number") throw new Error(`the probe wrote ${taken}`);
  return { cpu, modules };
}
