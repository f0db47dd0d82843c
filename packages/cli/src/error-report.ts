import { type AnyProviderError, type ErrorEffect, isProviderError } from "@slipway/core";
import { CliError, EXIT, isSystemError, stateFailure } from "./cli-error.ts";
import { printable, printableJson, printableLines, type Secrets, shellCommand, styleFor } from "./printable.ts";
import type { World } from "./world.ts";

const EFFECTS: Readonly<Record<ErrorEffect, (look: string) => string>> = {
  none: () => "nothing was changed",
  applied: (look) => `it was done, but the answer could not be used: look with \`${look}\``,
  unknown: (look) => `it may have been done: look with \`${look}\` before you try again`,
};

/** What the launch store throws, recognised by its shape so that an error does not load the store. */
interface StoreFailure extends Error {
  readonly name: "StoreError";
  readonly code: string;
  readonly hint: string;
  readonly toJSON: () => object;
}

type Reported = CliError | AnyProviderError | StoreFailure;

export function isStoreFailure(error: unknown): error is StoreFailure {
  return error instanceof Error && error.name === "StoreError" && "code" in error && "toJSON" in error;
}

export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly secrets: Secrets;
  readonly context: FailureContext;
}

/** Tells the user what went wrong, and answers the exit code. */
export function reportError(error: unknown, world: World, options: ReportOptions): number {
  const known = world.signal.aborted ? interruption(error) : classify(error);
  const text = options.json
    ? `${printableJson(JSON.stringify({ ...known.toJSON(), ...options.context }))}\n`
    : sentences(known, world, options.context.look ?? lookCommandFor(known));
  world.stderr.write(options.secrets.redact(text));
  if (options.verbose && !options.json && error instanceof Error && error.stack !== undefined) {
    world.stderr.write(`${printableLines(options.secrets.redact(error.stack))}\n`);
  }
  return exitCodeOf(known, world);
}

/** `list` without a provider asks only those that are configured, and this one may not be. */
function lookCommandFor(error: Reported): string {
  return isProviderError(error) ? shellCommand(["slipway", "list", "--provider", error.provider]) : "slipway list";
}

/** After an interrupt a wait of the command's own ends with the signal's reason, which says nothing more. */
function interruption(error: unknown): Reported {
  const known = classify(error);
  if (!(known instanceof CliError) || known.code !== "INTERNAL") return known;
  return new CliError("INTERRUPTED", "interrupted before it was done", "`slipway list` shows what is there.", error);
}

/** Every failure as one that has a code. */
export function classify(error: unknown): Reported {
  if (error instanceof CliError || isProviderError(error) || isStoreFailure(error)) return error;
  if (isSystemError(error)) return stateFailure(error, "its files");
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CliError(
    "INTERNAL",
    `slipway itself failed: ${message}`,
    "This is a fault of slipway: report it with what --verbose prints.",
    error,
  );
}

function exitCodeOf(error: Reported, world: World): number {
  if (world.signal.aborted) return EXIT.interrupted;
  return error instanceof CliError ? error.exitCode : EXIT.failure;
}

function sentences(error: Reported, world: World, look: string): string {
  const style = styleFor(world.stderr, world.env);
  const where = isProviderError(error) ? ` (${error.provider} ${error.operation})` : "";
  const lines = [
    `slipway: ${style("bad", `error ${error.code}`)}${where}: ${paragraph(error.message)}`,
    ...(isProviderError(error)
      ? [`  ${style("quiet", "effect")}  ${error.effect}: ${EFFECTS[error.effect](look)}`]
      : []),
    ...(error.hint === undefined ? [] : [`  ${style("quiet", "hint")}    ${paragraph(error.hint)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** A bootstrap's last lines stay lines, below the sentence that they belong to. */
function paragraph(text: string): string {
  return text.split("\n").map(printable).join("\n          ");
}

/** What the command knew when it failed: for the last lines of its report, and for a program that reads its JSON. */
export interface FailureContext {
  /** The key that the user gave, or that was made for them. */
  key?: string;
  /** The instance, once it is there. */
  id?: string;
  /** A command that shows what is there. */
  look?: string;
}

/** What one check of `doctor` found. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "failed";
  readonly says: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}
