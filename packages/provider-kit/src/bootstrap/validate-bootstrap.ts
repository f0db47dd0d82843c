import { type BootstrapConfig, type Operation, ProviderError } from "@slipway/core";
import { wrongFeatures } from "./features.ts";
import { wrongReport } from "./report.ts";

/** Who refuses: both stand in the error. */
export interface RefusalContext {
  readonly provider: string;
  readonly operation: Operation;
}

/** The most bytes that a rendered bootstrap may have; a provider's `maxUserDataBytes` is often far below. */
export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

// What the kernel takes as one string "NAME=value" of an environment, its final NUL included.
const MAX_VARIABLE_BYTES = 128 * 1024;
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "script",
  "environment",
  "files",
  "features",
  "controlPlaneUrl",
  "registrationToken",
  "report",
]);

/** What is wrong, as the end of a sentence that begins with the field's name; null if nothing is. */
type Finding = readonly [field: string, wrong: string];

/**
 * Throws INVALID_SPEC (`effect: "none"`), naming the field, for a config that could not be carried out exactly as it is
 * written. The values themselves never stand in the message. The size of the whole is checked when it is rendered.
 */
export function validateBootstrap(config: BootstrapConfig, context: RefusalContext): void {
  for (const finding of findings(config)) refuse(finding, context);
}

export function refuse([field, wrong]: Finding, context: RefusalContext): never {
  const name = field === "" ? "bootstrap" : `bootstrap.${field}`;
  throw new ProviderError("INVALID_SPEC", { message: `${name} ${wrong}`, ...context, effect: "none" });
}

/** The largest value and its size in bytes, to be named where the whole is too large. */
export function largestField(config: BootstrapConfig): { readonly field: string; readonly bytes: number } {
  let largest = { field: "script", bytes: Buffer.byteLength(config.script) };
  for (const [field, value] of textFields(config)) {
    if (typeof value !== "string") continue;
    const bytes = Buffer.byteLength(value);
    if (bytes > largest.bytes) largest = { field, bytes };
  }
  return largest;
}

function* findings(config: BootstrapConfig): Generator<Finding> {
  // Callers without types come here too, so nothing is taken for granted below.
  if (!isRecord(config)) return yield ["", "must be an object with a script"];
  for (const name of Object.keys(config)) {
    if (!KNOWN_FIELDS.has(name)) yield [name, "is not a field of a bootstrap"];
  }
  if (config.environment !== undefined && !isRecord(config.environment)) {
    return yield ["environment", "must map names to texts"];
  }
  if (config.files !== undefined && !(Array.isArray(config.files) && config.files.every(isRecord))) {
    return yield ["files", "must be a list of { path, content, mode? }"];
  }
  for (const [field, value] of textFields(config)) {
    const wrong = wrongText(value);
    if (wrong !== null) yield [field, wrong];
  }
  const wrong = wrongScript(config.script);
  if (wrong !== null) yield ["script", wrong];
  yield* variableFindings(config);
  yield* fileFindings(config);
  const features = config.features === undefined ? null : wrongFeatures(config.features);
  if (features !== null) yield ["features", features];
  const report = wrongReport(config);
  if (report !== null) yield report;
}

function* variableFindings(config: BootstrapConfig): Generator<Finding> {
  for (const name of Object.keys(config.environment ?? {})) {
    const wrong = wrongVariable(name);
    if (wrong !== null) yield [`environment[${JSON.stringify(name)}]`, wrong];
  }
  const variables: [field: string, name: string, value: string | undefined][] = [
    ["registrationToken", "SLIPWAY_REGISTRATION_TOKEN", config.registrationToken],
    ["controlPlaneUrl", "SLIPWAY_CONTROL_PLANE_URL", config.controlPlaneUrl],
  ];
  for (const [name, value] of Object.entries(config.environment ?? {})) {
    variables.push([`environment[${JSON.stringify(name)}]`, name, value]);
  }
  for (const [field, name, value] of variables) {
    const bytes = Buffer.byteLength(`${name}=${value ?? ""}`) + 1;
    if (bytes > MAX_VARIABLE_BYTES) {
      yield [
        field,
        `has ${bytes} bytes with its name, and no system passes more than ${MAX_VARIABLE_BYTES} as a variable`,
      ];
    }
  }
}

function* fileFindings(config: BootstrapConfig): Generator<Finding> {
  const seen = new Set<string>();
  for (const [at, { path, mode }] of (config.files ?? []).entries()) {
    const wrong = wrongPath(path);
    if (wrong !== null) yield [`files[${at}].path`, wrong];
    if (seen.has(path)) yield [`files[${at}].path`, "is the path of another file too"];
    seen.add(path);
    if (mode !== undefined && !(typeof mode === "string" && /^[0-7]{3,4}$/.test(mode))) {
      yield [`files[${at}].mode`, 'must be three or four octal digits, as "0644"'];
    }
  }
}

function* textFields(config: BootstrapConfig): Generator<readonly [field: string, value: unknown]> {
  yield ["script", config.script];
  if (config.controlPlaneUrl !== undefined) yield ["controlPlaneUrl", config.controlPlaneUrl];
  if (config.registrationToken !== undefined) yield ["registrationToken", config.registrationToken];
  for (const [name, value] of Object.entries(config.environment ?? {})) {
    yield [`environment[${JSON.stringify(name)}]`, value];
  }
  for (const [at, { path, content }] of (config.files ?? []).entries()) {
    yield [`files[${at}].path`, path];
    yield [`files[${at}].content`, content];
  }
}

/**
 * What a shell would do something else with than its author means, as the end of a sentence: the line ends of Windows,
 * which become a part of each command, and blanks before `#!`, which then names no interpreter. Null if nothing is wrong.
 * Only the first line is looked at for line ends: below it a text of the script's own may hold them.
 */
export function wrongScript(text: string): string | null {
  if (/^[^\n]*\r\n/.test(text)) {
    return "has the line ends of Windows (CRLF), which a shell takes for a part of each command: save it with LF";
  }
  return /^[\s\uFEFF]+#!/.test(text) ? "has blanks before `#!`: begin with `#!`, or leave that line out" : null;
}

function wrongText(value: unknown): string | null {
  if (typeof value !== "string") return "must be a text";
  if (value.includes("\0")) return "holds a NUL character, which no file of text and no variable can hold";
  return value.isWellFormed() ? null : "holds half of a surrogate pair, which is no UTF-8";
}

function wrongPath(path: string): string | null {
  if (!path.startsWith("/")) return "must be an absolute path";
  const names = path.split("/").slice(1);
  if (names.at(-1) === "" || names.at(-1) === "." || names.at(-1) === "..") return "must name a file";
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
    return `has a name of over ${MAX_NAME_BYTES} bytes`;
  return Buffer.byteLength(path) > MAX_PATH_BYTES ? `is over ${MAX_PATH_BYTES} bytes long` : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Variables that a shell keeps for itself: it refuses to have them set, sets them anew, or gives them another meaning, so
// that the script would not see what was asked for.
const OF_THE_SHELL: ReadonlySet<string> = new Set([
  ...["_", "IFS", "LINENO", "OPTARG", "OPTIND", "PPID", "PWD", "OLDPWD", "SHLVL"],
  ...["BASH", "BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASH_CMDS"],
  ...["BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "BASH_VERSION"],
  ...["COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD"],
  ...["RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID"],
]);

const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ["SLIPWAY_REGISTRATION_TOKEN", "registrationToken"],
  ["SLIPWAY_CONTROL_PLANE_URL", "controlPlaneUrl"],
]);

/** Why a variable cannot have this name, or null. */
function wrongVariable(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return "must be named by letters, digits and _, not beginning with a digit";
  if (OF_THE_SHELL.has(name)) return "is a variable that the shell keeps for itself";
  const field = OWN_FIELDS.get(name);
  return field === undefined ? null : `is given by the field ${field}`;
}
