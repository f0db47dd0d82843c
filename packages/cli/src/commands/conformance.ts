import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CliError, EXIT } from "../cli-error.ts";
import { type Configure, oneOf, several } from "../command.ts";
import { firstLine } from "../config-file.ts";
import { refuseForeignOwner, trustedOwners } from "../file-owner.ts";
import { entryFile, findPackage } from "../package-manifest.ts";
import { printable } from "../printable.ts";
import type { Session } from "../session.ts";
import type { World } from "../world.ts";

interface Flags {
  readonly markdown?: boolean;
  readonly only?: readonly string[];
  readonly mode?: "plain" | "projected";
}

/** What the module exports. The suite itself checks what the function returns, and what the skips say. */
interface HarnessModule {
  readonly harness: object;
  readonly skips: readonly unknown[];
}

// The part of @slipway/contract-tests that is used here: the package is found at run time, and binds nobody before.
interface CaseResult {
  readonly id: string;
  readonly group: string;
  readonly mode: string;
  readonly status: string;
  readonly reason?: string;
}

interface ConformanceReport {
  readonly passed: boolean;
}

interface ConformanceOptions {
  readonly skips: readonly unknown[];
  readonly onResult: (result: CaseResult, of: { readonly done: number; readonly total: number }) => void;
  readonly modes?: readonly ("plain" | "projected")[];
  readonly only?: (one: Pick<CaseResult, "id" | "group">) => boolean;
}

interface Suite {
  readonly runConformance: (harness: object, options: ConformanceOptions) => Promise<ConformanceReport>;
  readonly renderJson: (report: ConformanceReport) => string;
  readonly renderMarkdown: (report: ConformanceReport) => string;
  readonly renderTable: (report: ConformanceReport) => string;
}

export const configure: Configure = (command, run) => {
  command
    .argument("<module>", "a path, or a package: it exports `harness`, and `skips` if there are any")
    .option("--markdown", "the report for a README or a pull request")
    .option("--only <text>", "only cases whose id or group begins with this; several times", several)
    .option(
      "--mode <mode>",
      "only plain (every case), or projected (those that projection can change); default: both",
      oneOf("plain", "projected"),
    )
    .addHelpText("after", "\nExit code 0 if the provider conforms, 1 if it does not.\n");
  run<Flags>(command, conformance);
};

async function conformance(session: Session, [name = ""]: readonly string[], flags: Flags): Promise<number> {
  const specifier = await specifierOf(session, name);
  const { harness, skips } = await load(session, name, specifier);
  const { runConformance, renderJson, renderMarkdown, renderTable } = await suite(
    session,
    dirname(fileURLToPath(specifier)),
  );
  const { only, mode } = flags;
  const progress = showing(session);
  const options: ConformanceOptions = {
    skips,
    onResult: progress,
    ...(mode === undefined ? {} : { modes: [mode] }),
    ...(only === undefined
      ? {}
      : { only: (one) => only.some((text) => one.id.startsWith(text) || one.group.startsWith(text)) }),
  };
  const report = await session.progress.during("running the cases", () => runConformance(harness, options));
  const render = session.json ? renderJson : flags.markdown === true ? renderMarkdown : renderTable;
  session.output.remote(render(report));
  return exitCodeOf(report);
}

function exitCodeOf({ passed }: ConformanceReport): number {
  return passed ? EXIT.ok : EXIT.failure;
}

/** Each failure as soon as it is there; the table at the end tells it again, with the others. */
function showing(session: Session): (result: CaseResult, of: { done: number; total: number }) => void {
  return (result, { done, total }) => {
    session.progress.detail(`${done} of ${total}`);
    if (result.status !== "failed" || !session.world.stderr.isTTY) return;
    session.progress.clear();
    session.output.note(`FAIL ${result.id} [${result.mode}] ${printable(firstLine(result.reason ?? ""))}`);
  };
}

const SUITE = "@slipway/contract-tests";

/**
 * The suite of the harness's own project, or the one beside the command. It is no dependency of the command: it comes
 * with the range of a test runner, which would then bind every project that has the command.
 */
async function suite(session: Session, directory: string): Promise<Suite> {
  const { world, providers } = session;
  let module: unknown;
  try {
    for (const base of [directory, world.cwd, world.installedAt]) {
      const found = await findPackage(SUITE, base);
      const entry = found === null ? null : entryFile(found);
      if (found === null || entry === null) continue;
      const file = join(found.directory, entry);
      await refuseForeignOwner(file, trustedOwners(world, await providers.config()));
      module = await world.loadModule(pathToFileURL(file).href);
      break;
    }
    module ??= await world.loadModule(SUITE);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw noSuite("is not installed", error);
  }
  if (!isSuite(module)) throw noSuite("is of a version that this slipway does not know");
  return module;
}

function isSuite(module: unknown): module is Suite {
  const names = ["runConformance", "renderJson", "renderMarkdown", "renderTable"];
  return names.every((name) => typeof Reflect.get(Object(module), name) === "function");
}

function noSuite(what: string, cause?: unknown): CliError {
  return new CliError("MISSING_TOOL", `${SUITE} ${what}`, `Install it: npm install --save-dev ${SUITE}`, cause);
}

async function load(session: Session, name: string, specifier: string): Promise<HarnessModule> {
  let module: unknown;
  try {
    module = await session.world.loadModule(specifier);
  } catch (error) {
    const why = error instanceof Error ? firstLine(error.message) : "it threw";
    throw new CliError("UNREADABLE_FILE", `the module ${name} cannot be loaded: ${why}`, undefined, error);
  }
  const exported = (member: string): unknown =>
    typeof module === "object" && module !== null ? Reflect.get(module, member) : undefined;
  const harness = exported("harness") ?? exported("default");
  const skips = exported("skips") ?? [];
  if (typeof harness !== "function" || !Array.isArray(skips)) {
    throw new CliError(
      "INVALID_ARGUMENT",
      `the module ${name} exports no function \`harness\``,
      "Export one that makes a Harness of @slipway/contract-tests: export const harness = async () => ({ … })",
    );
  }
  return { harness, skips };
}

async function specifierOf({ world, providers }: Session, name: string): Promise<string> {
  const path = resolve(world.cwd, name);
  const isFile = (await stat(path).catch(() => null))?.isFile() === true;
  if (isFile || name.startsWith(".") || isAbsolute(name)) return pathToFileURL(path).href;
  const file = subpathFile(world, name) ?? (await packageFile(world, name));
  if (file === null) {
    throw new CliError(
      "UNREADABLE_FILE",
      `there is no module ${name}`,
      `Install it: npm install ${name}, or give a path.`,
    );
  }
  // A path is the user's own word for a file; a name may lead to a file of somebody else.
  await refuseForeignOwner(file, trustedOwners(world, await providers.config()));
  return pathToFileURL(file).href;
}

/** Also a subpath, as `@acme/compute/harness`. Null where there is none, or where the package exports it to `import` alone. */
function subpathFile(world: World, name: string): string | null {
  try {
    return createRequire(join(world.cwd, "package.json")).resolve(name);
  } catch {
    return null;
  }
}

async function packageFile(world: World, name: string): Promise<string | null> {
  const found = await findPackage(name, world.cwd);
  const entry = found === null ? null : entryFile(found);
  return found === null || entry === null ? null : join(found.directory, entry);
}
