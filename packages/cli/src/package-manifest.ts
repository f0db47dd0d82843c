import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError, isSystemError } from "./cli-error.ts";
import { isRecord } from "./config-file.ts";
import { ancestors } from "./files.ts";

/** A package.json, with the directory that it stands in. */
export interface PackageManifest {
  readonly directory: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Null where there is none; throws INVALID_CONFIG where there is one that cannot be read. */
export async function readManifest(directory: string): Promise<PackageManifest | null> {
  const file = join(directory, "package.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw new CliError("INVALID_CONFIG", `${file} cannot be read`, undefined, error);
  }
  try {
    const fields: unknown = JSON.parse(text);
    if (isRecord(fields)) return { directory, fields };
  } catch {
    // Told below, as a file that holds something else is.
  }
  throw new CliError("INVALID_CONFIG", `${file} is not a JSON object`, "Mend it: providers are found through it.");
}

/** The nearest package.json, in this directory or above. */
export async function nearestManifest(from: string): Promise<PackageManifest | null> {
  for (const directory of ancestors(from)) {
    const found = await readManifest(directory);
    if (found !== null) return found;
  }
  return null;
}

/** The package of this name as a module in `from` would find it. */
export async function findPackage(name: string, from: string): Promise<PackageManifest | null> {
  if (name.split("/").includes("..")) return null;
  for (const directory of ancestors(from)) {
    const found = await readManifest(join(directory, "node_modules", name));
    if (found !== null) return found;
  }
  return null;
}

const DEPENDENCY_FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/** The names in every kind of dependency, each once. */
export function dependencyNames({ fields }: PackageManifest): readonly string[] {
  const kinds = DEPENDENCY_FIELDS.map((kind) => fields[kind]).filter(isRecord);
  return [...new Set(kinds.flatMap((kind) => Object.keys(kind)))];
}

// What Node itself would take for an `import`, in the order that the package wrote them.
const CONDITIONS: ReadonlySet<string> = new Set(["node", "import", "module-sync", "default"]);

/** The file that `import` of the package, or of one of its subpaths, loads, relative to its directory; null if it exports none. */
export function entryFile({ fields }: PackageManifest, subpath = "."): string | null {
  const exported = fields["exports"];
  if (exported !== undefined) {
    const isMap = isRecord(exported) && Object.keys(exported).some((name) => name.startsWith("."));
    if (!isMap) return subpath === "." ? conditionalTarget(exported) : null;
    return conditionalTarget(exported[subpath]);
  }
  if (subpath !== ".") return null;
  return typeof fields["main"] === "string" && fields["main"] !== "" ? fields["main"] : "index.js";
}

function conditionalTarget(target: unknown): string | null {
  if (typeof target === "string") return target;
  if (Array.isArray(target)) return target.map(conditionalTarget).find((found) => found !== null) ?? null;
  if (!isRecord(target)) return null;
  for (const [condition, nested] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? conditionalTarget(nested) : null;
    if (found !== null) return found;
  }
  return null;
}
