import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Answers, CreateError } from "./answers.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { versions } from "./versions.ts";

const TEMPLATE = fileURLToPath(new URL("../template", import.meta.url));

/** Files that are there only with a flag, by their path in the template. */
const ONLY_WITH: Readonly<Record<string, string>> = {
  "src/capabilities/hibernation.ts": "hibernation",
  "src/capabilities/persistent-volumes.ts": "persistentVolumes",
  "src/capabilities/snapshots.ts": "snapshots",
};

/** Writes the package, and answers the paths of its files. Nothing that is there is written over. */
export async function writePackage(answers: Answers): Promise<readonly string[]> {
  await mustBeEmpty(answers.directory);
  const flags: Flags = new Set([answers.transport, ...answers.capabilities]);
  const values = valuesOf(answers, await versions());
  const written: string[] = [];
  for (const path of await filesOf(TEMPLATE)) {
    const target = targetOf(path, answers.transport);
    const wanted = ONLY_WITH[path];
    if (target === null || (wanted !== undefined && !flags.has(wanted))) continue;
    const text = fill(chooseLines(await readFile(join(TEMPLATE, path), "utf8"), flags), values);
    const file = join(answers.directory, target);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
    written.push(target);
  }
  return written;
}

async function mustBeEmpty(directory: string): Promise<void> {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new CreateError("UNUSABLE_DIRECTORY", `${directory} cannot be used (${error.code})`);
  });
  if (there.length > 0)
    throw new CreateError("NOT_EMPTY", `${directory} is not empty`, "Give another directory, or empty this one.");
}

/** npm leaves a file of the first name out of a package, and takes one of the second for a package of its own. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["gitignore", ".gitignore"],
  ["manifest.json", "package.json"],
]);

/** `send.http.ts` becomes `send.ts` for http, and nothing for cli. Null: not for this transport. */
function targetOf(path: string, transport: Answers["transport"]): string | null {
  const renamed = RENAMED.get(path);
  if (renamed !== undefined) return renamed;
  const [, before, kind, after] = /^(.*)\.(http|cli)(\.\w+)$/.exec(path) ?? [];
  if (kind === undefined) return path;
  return kind === transport ? `${before}${after}` : null;
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function valuesOf(answers: Answers, found: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { name, packageName, capabilities } = answers;
  const words = name.split("-");
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  const off = CAPABILITIES.filter((one) => !capabilities.includes(one.name));
  const reasons = off.map((one) => `  ${one.name}: ${JSON.stringify(`${name} ${one.whyNot}.`)},\n`).join("");
  const table = CAPABILITIES.map((one) => {
    const on = capabilities.includes(one.name);
    return `| ${one.name} | ${on ? "yes" : "no"} | ${on ? one.about : `${name} ${one.whyNot}`} |`;
  });
  return new Map([
    ...found,
    ["__PACKAGE__", packageName],
    ["__NAME_ENV__", name.replaceAll("-", "_").toUpperCase()],
    ["__NAME__", name],
    ["__Name__", pascal],
    ["__name__", pascal.charAt(0).toLowerCase() + pascal.slice(1)],
    ["__CAPABILITIES_TYPE__", capabilities.map((one) => JSON.stringify(one)).join(" | ") || "never"],
    ["__CAPABILITIES_FLAGS__", flagsOf(capabilities)],
    ["__WHY_NOT__", `{\n${reasons}}`],
    ["__CAPABILITY_TABLE__", ["| capability | | |", "|---|---|---|", ...table].join("\n")],
  ]);
}

function flagsOf(capabilities: readonly string[]): string {
  return capabilities.length === 0 ? "{}" : `{ ${capabilities.map((one) => `${one}: true`).join(", ")} }`;
}

/** What the lines of a template are chosen by: the transport and the capabilities. */
type Flags = ReadonlySet<string>;

const DIRECTIVE = /^\s*(?:\/\/|<!--) #(if|else|end)(?: ([\w|]+))?(?: -->)?\s*$/;

/**
 * The lines between `// #if flag|other` and `// #end` only where one of the flags is set, those behind `// #else` only where it is not.
 * Directives may be nested; they are lines of their own and do not stay.
 */
function chooseLines(text: string, flags: Flags): string {
  const open: boolean[] = [];
  const kept: string[] = [];
  for (const line of text.split("\n")) {
    const [, directive, flag = ""] = DIRECTIVE.exec(line) ?? [];
    if (directive === "if") open.push(flag.split("|").some((one) => flags.has(one)));
    else if (directive === "else") open.push(open.pop() !== true);
    else if (directive === "end") open.pop();
    else if (open.every((on) => on)) kept.push(line);
  }
  if (open.length > 0) throw new TypeError("a template has #if without #end");
  return kept.join("\n");
}

/** Puts the texts in the place of their names. A name that is not known stays, and a test sees it. */
function fill(text: string, values: ReadonlyMap<string, string>): string {
  let filled = text;
  for (const [name, value] of values) filled = filled.replaceAll(name, () => value);
  return filled;
}
