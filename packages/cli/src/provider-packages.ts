import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CONTRACT_VERSION } from "@slipway/core";
import { CliError } from "./cli-error.ts";
import { type Config, isRecord } from "./config-file.ts";
import { refuseForeignOwner, type TrustedOwners, trustedOwners } from "./file-owner.ts";
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

/** A package that offers a provider: found, not loaded. */
export interface ProviderPackage {
  /** The provider's name. */
  readonly name: string;
  /** The package's name, or the path that the config names. */
  readonly packageName: string;
  readonly version: string | null;
  /** What the embedded one has not: where it stands. */
  readonly directory: string | null;
  readonly origin: "config" | "dependency" | "embedded";
  /** For `import`. */
  readonly specifier: string;
  /** Why it cannot be used, found without loading it. */
  readonly problem?: { readonly message: string; readonly hint: string };
}

/** All provider packages that this directory can see: by the config, the nearest package.json's dependencies, and the embedded one. */
export async function findProviderPackages(world: World, config: Config): Promise<readonly ProviderPackage[]> {
  const owners = trustedOwners(world, config);
  const found = [...(await fromConfig(config, owners)), ...(await fromDependencies(world, owners)), embedded()];
  // What the config names, and what the project depends on, stands for the same package found again later.
  return found.filter(
    (one, at) => !found.slice(0, at).some((other) => other.packageName === one.packageName && other.name === one.name),
  );
}

async function fromConfig({ providers }: Config, owners: TrustedOwners): Promise<readonly ProviderPackage[]> {
  const packages: ProviderPackage[] = [];
  for (const [name, entry] of Object.entries(providers)) {
    if (entry.package === undefined) continue;
    const byPath = entry.package.startsWith(".") || isAbsolute(entry.package);
    const found = byPath
      ? await atPath(name, resolve(entry.base, entry.package), entry.package)
      : await byName(name, entry.package, entry.base);
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
  };
}

async function byName(name: string, packageName: string, base: string): Promise<ProviderPackage> {
  const manifest =
    packageName === EMBEDDED ? embeddedOr(await findPackage(packageName, base)) : await findPackage(packageName, base);
  if (manifest === "embedded") return { ...embedded(), origin: "config" };
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

function embeddedOr(found: PackageManifest | null): PackageManifest | "embedded" {
  return found ?? "embedded";
}

async function fromDependencies(world: World, owners: TrustedOwners): Promise<readonly ProviderPackage[]> {
  const manifest = await nearestManifest(world.cwd);
  if (manifest === null) return [];
  await refuseForeignOwner(manifest.directory, owners);
  await refuseForeignOwner(join(manifest.directory, "package.json"), owners);
  const found: ProviderPackage[] = [];
  for (const dependency of dependencyNames(manifest)) {
    const package_ = await findPackage(dependency, manifest.directory).catch((error: unknown) => {
      // One broken package is a row of its own, and does not hide the others.
      if (!(error instanceof CliError)) throw error;
      found.push(unreadable(dependency, error));
      return null;
    });
    if (package_ === null || !isRecord(package_.fields["slipway"])) continue;
    await refuseForeignOwner(package_.directory, owners);
    await refuseForeignOwner(join(package_.directory, "package.json"), owners);
    found.push(describe(package_, dependency, "dependency"));
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
    ...(problem === undefined ? {} : { problem }),
  };
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
