import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CaseResult, ConformanceOptions, ConformanceReport, HarnessFactory, Skip } from "@slipway/contract-tests";
import { CliError } from "../cli-error.ts";
import { type Configure, oneOf, several } from "../command.ts";
import { firstLine } from "../config-file.ts";
import { EXIT } from "../exit-code.ts";
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

/** What the module exports. */
interface HarnessModule {
  readonly harness: HarnessFactory;
  readonly skips: readonly Skip[];
}

export const configure: Configure = (command, run) => {
  command
    .argument("<module>", "a path, or a package: it exports `harness`, and `skips` if there are any")
    .option("--markdown", "the report for a README or a pull request")
    .option("--only <text>", "only cases whose id or group begins with this; several times", several)
    .option("--mode <mode>", "only plain or projected (default: both)", oneOf("plain", "projected"))
    .addHelpText("after", "\nExit code 0 if the provider conforms, 1 if it does not.\n");
  run<Flags>(command, conformance);
};

async function conformance(session: Session, [name = ""]: readonly string[], flags: Flags): Promise<number> {
  const { harness, skips } = await load(session, name);
  const { runConformance, renderJson, renderMarkdown, renderTable } = await import("@slipway/contract-tests");
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

async function load(session: Session, name: string): Promise<HarnessModule> {
  const specifier = await specifierOf(session, name);
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
  // The suite itself checks what the function answers, and what the skips say.
  return { harness: harness as HarnessFactory, skips: skips as readonly Skip[] };
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
