import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CONTRACT_VERSION } from "@slipway/core";
import { CliError } from "./cli-error.ts";
import { type Config, isRecord } from "./config-file.ts";
import { refuseForeignOwner, type TrustedOwners, trustedOwners } from "./file-owner.ts";
import { ancestors } from "./files.ts";
import {
  dependencyNames,
  entryFile,
  findPackage,
  nearestManifest,
  type PackageManifest,
  readManifest,
} from "./package-manifest.ts";
import type { World } from "./world.ts";

const require = createRequire(import.meta.url);

/** The provider that comes with the command. */
const EMBEDDED = "@slipway/provider-local";
const OWN_NAME = "slipway";

/** A package that offers a provider: found, not loaded. */
export interface ProviderPackage {
  /** The provider's name. */
  readonly name: string;
  /** The package's name, or the path that the config names. */
  readonly packageName: string;
  readonly version: string | null;
  /** What the embedded one has not: where it stands. */
  readonly directory: string | null;
  readonly origin: "config" | "dependency" | "installation" | "embedded";
  /** For `import`. */
  readonly specifier: string;
  /**
   * The environment variables of which one configures it, as its manifest says; null where it says nothing. An empty list: none
   * does, and only slipway.config, `--provider` and a launch name it.
   */
  readonly variables: readonly string[] | null;
  /** Why it cannot be used, found without loading it. */
  readonly problem?: { readonly message: string; readonly hint: string };
}

/**
 * All provider packages that can be used from this directory: those of the configuration, the dependencies of the nearest
 * package.json, those beside the command's own installation, and the embedded one.
 */
export async function findProviderPackages(world: World, config: Config): Promise<readonly ProviderPackage[]> {
  const owners = trustedOwners(world, config);
  const chosen = [...(await fromConfig(config, owners, world)), ...(await fromDependencies(world, owners))];
  // What the user or the project chose for a name leaves no doubt which of two packages is meant.
  const beside = (await fromInstallation(world, owners)).filter(({ name }) => !chosen.some((one) => one.name === name));
  const found = [...chosen, ...beside, embedded()];
  // What the config names, and what the project depends on, stands for the same package found again later.
  return found.filter(
    (one, at) => !found.slice(0, at).some((other) => other.packageName === one.packageName && other.name === one.name),
  );
}

async function fromConfig(
  { providers }: Config,
  owners: TrustedOwners,
  { installedAt }: World,
): Promise<readonly ProviderPackage[]> {
  const packages: ProviderPackage[] = [];
  for (const [name, entry] of Object.entries(providers)) {
    if (entry.package === undefined) continue;
    const byPath = entry.package.startsWith(".") || isAbsolute(entry.package);
    const found = byPath
      ? await atPath(name, resolve(entry.base, entry.package), entry.package)
      : await byName(name, entry.package, [entry.base, installedAt]);
    if (found.directory !== null) await refuseForeignOwner(found.directory, owners);
    packages.push(found);
  }
  return packages;
}

async function atPath(name: string, path: string, written: string): Promise<ProviderPackage> {
  const manifest = (await stat(path).catch(() => null))?.isDirectory() === true ? await readManifest(path) : null;
  if (manifest !== null) return { ...describe(manifest, name, "config"), name, packageName: written };
  return {
    name,
    packageName: written,
    version: null,
    directory: dirname(path),
    origin: "config",
    specifier: pathToFileURL(path).href,
    variables: null,
  };
}

async function byName(name: string, packageName: string, bases: readonly string[]): Promise<ProviderPackage> {
  let manifest: PackageManifest | null = null;
  for (const base of bases) manifest ??= await findPackage(packageName, base);
  if (manifest === null && packageName === EMBEDDED) return { ...embedded(), origin: "config" };
  if (manifest === null) {
    throw new CliError(
      "MISSING_PROVIDER",
      `the package ${packageName} of provider ${name} is not installed`,
      `Install it: npm install ${packageName}`,
    );
  }
  const described = describe(manifest, packageName, "config");
  if (described.name === name || described.problem !== undefined) return { ...described, name };
  return {
    ...described,
    name,
    problem: {
      message: `${packageName} offers provider ${described.name}, not ${name}`,
      hint: `Name it providers.${described.name} in slipway.config.`,
    },
  };
}

async function fromDependencies(world: World, owners: TrustedOwners): Promise<readonly ProviderPackage[]> {
  const manifest = await nearestManifest(world.cwd);
  return manifest === null ? [] : dependenciesOf(manifest, "dependency", owners);
}

async function dependenciesOf(
  manifest: PackageManifest,
  origin: "dependency" | "installation",
  owners: TrustedOwners,
): Promise<readonly ProviderPackage[]> {
  await refuseForeignOwner(manifest.directory, owners);
  await refuseForeignOwner(join(manifest.directory, "package.json"), owners);
  return describeAll(dependencyNames(manifest), manifest.directory, origin, owners);
}

/** `npm install -g slipway @slipway/provider-lambda` puts them side by side; other installers list both in a package.json. */
async function fromInstallation({ installedAt }: World, owners: TrustedOwners): Promise<readonly ProviderPackage[]> {
  for (const directory of ancestors(dirname(installedAt))) {
    const manifest = await readManifest(directory);
    if (manifest !== null && dependencyNames(manifest).includes(OWN_NAME)) {
      return dependenciesOf(manifest, "installation", owners);
    }
    const isShared = basename(directory) === "node_modules" && (await readManifest(dirname(directory))) === null;
    // A package manager's own store holds one folder for each package; what its user asked for is listed further out.
    if (isShared && !basename(dirname(directory)).includes("@")) {
      return describeAll(await installedNames(directory), dirname(directory), "installation", owners);
    }
  }
  return [];
}

async function installedNames(modules: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const name of await readdir(modules).catch((): string[] => [])) {
    if (name.startsWith(".")) continue;
    if (!name.startsWith("@")) names.push(name);
    else names.push(...(await readdir(join(modules, name)).catch((): string[] => [])).map((own) => `${name}/${own}`));
  }
  return names;
}

async function describeAll(
  names: readonly string[],
  base: string,
  origin: "dependency" | "installation",
  owners: TrustedOwners,
): Promise<readonly ProviderPackage[]> {
  const found: ProviderPackage[] = [];
  for (const name of names) {
    const manifest = await findPackage(name, base).catch((error: unknown) => {
      // One broken package is a row of its own, and does not hide the others.
      if (!(error instanceof CliError)) throw error;
      if (origin === "dependency") found.push(unreadable(name, error));
      return null;
    });
    if (manifest === null || !isRecord(manifest.fields["slipway"])) continue;
    await refuseForeignOwner(manifest.directory, owners);
    await refuseForeignOwner(join(manifest.directory, "package.json"), owners);
    found.push(describe(manifest, name, origin));
  }
  return found;
}

function unreadable(packageName: string, { message, hint }: CliError): ProviderPackage {
  const problem = { message, hint: hint ?? `Install it again: npm install ${packageName}` };
  return {
    name: packageName,
    packageName,
    version: null,
    directory: null,
    origin: "dependency",
    specifier: "",
    variables: null,
    problem,
  };
}

function describe(manifest: PackageManifest, packageName: string, origin: ProviderPackage["origin"]): ProviderPackage {
  const { directory, fields } = manifest;
  const declared = isRecord(fields["slipway"]) ? fields["slipway"] : {};
  const entry = entryFile(manifest);
  const problem = problemOf(declared, entry, packageName);
  return {
    name: typeof declared["provider"] === "string" ? declared["provider"] : packageName,
    packageName,
    version: typeof fields["version"] === "string" ? fields["version"] : null,
    directory,
    origin,
    specifier: pathToFileURL(join(directory, entry ?? "index.js")).href,
    variables: variablesOf(declared["variables"]),
    ...(problem === undefined ? {} : { problem }),
  };
}

function variablesOf(declared: unknown): readonly string[] | null {
  return Array.isArray(declared) && declared.every((name) => typeof name === "string") ? declared : null;
}

function problemOf(
  declared: Readonly<Record<string, unknown>>,
  entry: string | null,
  packageName: string,
): ProviderPackage["problem"] {
  const { provider, contract } = declared;
  if (typeof provider !== "string" || provider === "" || typeof contract !== "number") {
    return {
      message: `package.json of ${packageName} does not say "slipway": { "provider": name, "contract": version }`,
      hint: "That is for the package's author to mend.",
    };
  }
  if (contract > CONTRACT_VERSION) {
    return {
      message: `${packageName} speaks contract ${contract}, and this slipway ${CONTRACT_VERSION}`,
      hint: "Upgrade it: npm install slipway@latest",
    };
  }
  if (contract < CONTRACT_VERSION - 1) {
    return {
      message: `${packageName} speaks contract ${contract}, and this slipway ${CONTRACT_VERSION} and ${CONTRACT_VERSION - 1}`,
      hint: `Upgrade it: npm install ${packageName}@latest`,
    };
  }
  if (entry === null)
    return { message: `${packageName} exports nothing`, hint: "That is for the package's author to mend." };
  return undefined;
}

function embedded(): ProviderPackage {
  return {
    name: "local",
    packageName: EMBEDDED,
    version: embeddedVersion(),
    directory: null,
    origin: "embedded",
    specifier: EMBEDDED,
    variables: null,
  };
}

function embeddedVersion(): string | null {
  try {
    const manifest: unknown = require("@slipway/provider-local/package.json");
    return isRecord(manifest) && typeof manifest["version"] === "string" ? manifest["version"] : null;
  } catch {
    // Not installed with the command: using it says so.
    return null;
  }
}
