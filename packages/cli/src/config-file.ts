import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isOwner } from "@slipway/core";
import { CliError, isSystemError, nearestName } from "./cli-error.ts";
import { refuseForeignOwner, trustedOwners } from "./file-owner.ts";
import { ancestors } from "./files.ts";
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

/** An entry, with the directory that its package is looked for in. */
export interface PlacedEntry extends ProviderEntry {
  readonly base: string;
}

export interface Config {
  /** Absolute path of the project's file; null if there is none. */
  readonly file: string | null;
  /** The provider that is meant where none is named. */
  readonly provider?: string;
  /** Whose instances these are, where it shall not be the state directory's own. */
  readonly owner?: string;
  readonly providers: Readonly<Record<string, PlacedEntry>>;
  /** Directories of other users whose projects this user trusts; the user-level file alone may name them. */
  readonly safeDirectories: readonly string[];
}

/** What a `slipway.config` file exports as default. */
export interface SlipwayConfig extends Partial<Pick<Config, "provider" | "owner">> {
  readonly providers?: Readonly<Record<string, ProviderEntry>>;
}

export interface ReadOptions {
  /** May a file that is a program be run? Without it, such a file counts as absent. */
  readonly runsCode: boolean;
}

/** The user-level `slipway/config.json`, and over it the nearest `slipway.config.{js,mjs,ts,json}` in this directory or above. */
export async function readConfig(world: World, { runsCode }: ReadOptions = { runsCode: true }): Promise<Config> {
  const user = await readUserConfig(world);
  const { safeDirectories } = user;
  const owners = trustedOwners(world, user);
  const file = await findConfig(world.cwd);
  if (file === null || (!runsCode && !file.endsWith(".json"))) return { ...user, file: null };
  await refuseForeignOwner(dirname(file), owners);
  await refuseForeignOwner(file, owners);
  const exported = file.endsWith(".json") ? await readJson(file) : await importConfig(file, world);
  const project = checked(exported, file, ["provider", "owner", "providers"]);
  const providers = Object.entries(project.providers).map(([name, entry]) => {
    const below = Object.hasOwn(user.providers, name) ? user.providers[name] : undefined;
    return [
      name,
      entry.package === undefined && below !== undefined ? { ...below, ...defined(entry) } : entry,
    ] as const;
  });
  return { ...user, ...project, safeDirectories, providers: { ...user.providers, ...Object.fromEntries(providers) } };
}

/** What a user says for every directory. It is JSON: reading it runs nothing. */
async function readUserConfig(world: World): Promise<Config> {
  const none: Config = { file: null, providers: {}, safeDirectories: [] };
  const file = userConfigFile(world.env);
  if (file === null || (await stat(file).catch(() => null)) === null) return none;
  await refuseForeignOwner(file, trustedOwners(world, none));
  return checked(await readJson(file), file, ["provider", "owner", "providers", "safeDirectories"]);
}

/** Where the user-level file would stand; null where the environment names no home. */
function userConfigFile(env: World["env"]): string | null {
  const given = env["XDG_CONFIG_HOME"] ?? "";
  if (isAbsolute(given)) return join(given, "slipway", "config.json");
  const home = env["HOME"] ?? "";
  return isAbsolute(home) ? join(home, ".config", "slipway", "config.json") : null;
}

/** Without the package, which the entry below it names. */
function defined({ config }: ProviderEntry): ProviderEntry {
  return config === undefined ? {} : { config };
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

function checked(exported: unknown, file: string, fields: readonly string[]): Config {
  const refuse = (what: string, hint = "`slipway init` in an empty directory writes one that works."): never => {
    throw new CliError("INVALID_CONFIG", `${file}: ${what}`, hint);
  };
  if (!isRecord(exported)) return refuse("it must be an object");
  refuseUnknown(exported, fields, "", refuse);

  const { provider, owner, providers = {}, safeDirectories = [] } = exported;
  if (provider !== undefined && typeof provider !== "string") return refuse("provider must be a name");
  if (owner !== undefined && !isOwner(owner)) return refuse("owner must match [a-z0-9-]{1,63}");
  if (!isRecord(providers)) return refuse("providers must map names to { package?, config? }");
  if (!isPathList(safeDirectories)) return refuse("safeDirectories must be a list of absolute paths");
  const base = dirname(file);
  const entries = Object.entries(providers).map(
    ([name, entry]) => [name, { ...entryOf(name, entry, refuse), base }] as const,
  );
  return {
    file,
    safeDirectories: safeDirectories.map((path) => resolve(path)),
    providers: Object.fromEntries(entries),
    ...(provider === undefined ? {} : { provider }),
    ...(owner === undefined ? {} : { owner }),
  };
}

function isPathList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string" && isAbsolute(path));
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
