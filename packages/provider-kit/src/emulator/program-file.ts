import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface ProgramFile {
  /** `import.meta.url` of a file beside the emulator's executable module. */
  readonly beside: string;
  /** The module's name without its ending: TypeScript where `beside` is, JavaScript in a package. */
  readonly module: string;
  /** What the program finds in its environment whoever starts it: a provider's commands get few variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Writes a program to `path` that runs an emulator's module with this Node. Synchronous; replaces what is there. */
export function writeProgram(path: string, { beside, module, variables }: ProgramFile): void {
  const fromSources = beside.endsWith(".ts");
  const own = fileURLToPath(new URL(`./${module}.${fromSources ? "ts" : "js"}`, beside));
  const file = fromSources ? (bundleOf(own) ?? own) : own;
  const settings = Object.entries({ ...variables, ...compileCache() }).map(
    ([name, value]) => `${name}=${quoted(value)}`,
  );
  // Siblings of a source file are found as sources too.
  const words = [quoted(process.execPath), ...(fromSources ? ["--conditions=@slipway/source"] : []), quoted(file)];
  const exported = settings.length === 0 ? "" : `export ${settings.join(" ")}\n`;
  writeFileSync(path, `#!/bin/sh\n${exported}exec ${words.join(" ")} "$@"\n`);
  chmodSync(path, 0o755);
}

/** The one file into which a test run has bundled a program's hundred sources: it starts in a third of their time. */
function bundleOf(source: string): string | null {
  const directory = process.env["SLIPWAY_BUNDLED_PROGRAMS"];
  if (directory === undefined) return null;
  const bundle = join(directory, `${source.replaceAll(/[^A-Za-z0-9]+/g, "-")}.mjs`);
  return existsSync(bundle) ? bundle : null;
}

/** Each command of a provider starts this program anew: with the writer's cache Node compiles it once. */
function compileCache(): Readonly<Record<string, string>> {
  const directory = process.env["NODE_COMPILE_CACHE"];
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
