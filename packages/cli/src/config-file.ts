import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isOwner } from "@slipway/core";
import { ancestors } from "./ancestors.ts";
import { CliError } from "./cli-error.ts";
import { nearestName } from "./nearest-name.ts";
import { isSystemError } from "./system-error.ts";
import type { World } from "./world.ts";

export const CONFIG_NAMES: readonly string[] = [
  "slipway.config.js",
  "slipway.config.mjs",
  "slipway.config.ts",
  "slipway.config.json",
];

/** One provider's entry. */
export interface ProviderEntry {
  /** A package's name, or a path that begins with `.` or `/`; absent: the package that declares the name. */
  readonly package?: string;
  /** What its `register` gets. */
  readonly config?: unknown;
}

export interface Config {
  /** Absolute path of the file; null if there is none. */
  readonly file: string | null;
  /** The provider that is meant where none is named. */
  readonly provider?: string;
  /** Whose instances these are, where it shall not be the state directory's own. */
  readonly owner?: string;
  readonly providers: Readonly<Record<string, ProviderEntry>>;
}

/** What a `slipway.config` file exports as default. */
export type SlipwayConfig = Partial<Omit<Config, "file">>;

/** The nearest `slipway.config.{js,mjs,ts,json}`, in this directory or above. */
export async function readConfig(world: World): Promise<Config> {
  const file = await findConfig(world.cwd);
  if (file === null) return { file: null, providers: {} };
  const exported = file.endsWith(".json") ? await readJson(file) : await importConfig(file, world);
  return checked(exported, file);
}

async function findConfig(from: string): Promise<string | null> {
  for (const directory of ancestors(from)) {
    // A directory that cannot be listed has nothing to say; the next one may.
    const names = await readdir(directory).catch((): string[] => []);
    const found = CONFIG_NAMES.filter((name) => names.includes(name));
    if (found.length > 1) {
      throw new CliError("INVALID_CONFIG", `${directory} has ${found.join(" and ")}`, "Keep one of them.");
    }
    if (found[0] !== undefined) return join(directory, found[0]);
  }
  return null;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch (error) {
    const why = isSystemError(error) ? `cannot be read (${error.code})` : "is not JSON";
    throw new CliError("INVALID_CONFIG", `${file} ${why}`, "Mend it; `slipway doctor` reads it again.", error);
  }
}

async function importConfig(file: string, world: World): Promise<unknown> {
  let module: unknown;
  try {
    module = await world.loadModule(pathToFileURL(file).href);
  } catch (error) {
    const why = error instanceof Error ? firstLine(error.message) : "it threw";
    const hint = file.endsWith(".ts")
      ? "Node reads TypeScript from 22.18 on; a slipway.config.js works everywhere."
      : "Mend it; `slipway doctor` reads it again.";
    throw new CliError("INVALID_CONFIG", `${file} cannot be loaded: ${why}`, hint, error);
  }
  if (isRecord(module) && module["default"] !== undefined) return module["default"];
  throw new CliError("INVALID_CONFIG", `${file} has no default export`, "Write: export default { providers: {} }");
}

function checked(exported: unknown, file: string): Config {
  const refuse = (what: string, hint = "`slipway init` in an empty directory writes one that works."): never => {
    throw new CliError("INVALID_CONFIG", `${file}: ${what}`, hint);
  };
  if (!isRecord(exported)) return refuse("it must be an object");
  refuseUnknown(exported, ["provider", "owner", "providers"], "", refuse);

  const { provider, owner, providers = {} } = exported;
  if (provider !== undefined && typeof provider !== "string") return refuse("provider must be a name");
  if (owner !== undefined && !isOwner(owner)) return refuse("owner must match [a-z0-9-]{1,63}");
  if (!isRecord(providers)) return refuse("providers must map names to { package?, config? }");
  const entries = Object.entries(providers).map(([name, entry]) => [name, entryOf(name, entry, refuse)] as const);
  return {
    file,
    providers: Object.fromEntries(entries),
    ...(provider === undefined ? {} : { provider }),
    ...(owner === undefined ? {} : { owner }),
  };
}

function entryOf(name: string, entry: unknown, refuse: (what: string, hint?: string) => never): ProviderEntry {
  if (!isRecord(entry)) return refuse(`providers.${name} must be { package?, config? }`);
  refuseUnknown(entry, ["package", "config"], `providers.${name}.`, refuse);
  const { package: named, config } = entry;
  if (named === undefined) return { config };
  if (typeof named === "string" && named !== "") return { package: named, config };
  return refuse(`providers.${name}.package must be a package's name or a path`);
}

function refuseUnknown(
  record: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
  refuse: (what: string, hint?: string) => never,
): void {
  for (const name of Object.keys(record)) {
    if (known.includes(name)) continue;
    const meant = nearestName(name, known);
    refuse(
      `unknown field ${path}${name}`,
      meant === undefined ? `It takes ${known.join(", ")}.` : `Did you mean ${meant}?`,
    );
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
