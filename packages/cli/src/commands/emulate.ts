import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError } from "../cli-error.ts";
import { type Configure, oneOf, positiveNumber } from "../command.ts";
import { isRecord } from "../config-file.ts";
import { entryFile, readManifest } from "../package-manifest.ts";
import { shellCommand } from "../printable.ts";
import type { ProviderPackage } from "../provider-packages.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly port?: number;
  readonly speed?: number;
  readonly machines?: MachinesKind;
}

type MachinesKind = "light" | "real" | "none";

/** What a package's `./emulator` exports as `serve`, as far as it is used here. */
type Serve = (options: {
  readonly port?: number | undefined;
  readonly speed?: number | undefined;
  readonly machines?: MachinesKind | undefined;
}) => Promise<unknown>;

/** What it answers: `EmulatorServer` or `EmulatorProgram` of @slipway/provider-kit/emulator, checked. */
interface Served {
  readonly baseUrl?: string;
  readonly program?: string;
  readonly variables: Readonly<Record<string, string>>;
  /** What stands behind its instances, where it has been asked for machines. */
  readonly machines?: string;
  readonly close: () => Promise<void>;
}

export const configure: Configure = (command, run) => {
  command
    .argument("<provider>", "the provider whose remote is emulated, as lambda")
    .option("--port <number>", "the port on 127.0.0.1 (default: any free one)", port)
    .option("--speed <factor>", "how many times as fast as real time everything in it passes", positiveNumber)
    .option(
      "--machines <kind>",
      "what its instances are: light, real or none (default: light where it is possible)",
      oneOf("light", "real", "none"),
    )
    .addHelpText(
      "after",
      `
With light, each instance is a sandbox on a loopback address: its user data runs there, and it accepts ssh. With real,
cloud-init reads the user data, which takes some seconds. With none, nothing runs behind an instance, and it shows no address.

It runs until Ctrl-C, keeps everything in memory, and costs nothing. Example:
  slipway emulate lambda --port 4010 --speed 100`,
    );
  run<Flags>(command, emulate);
};

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number < 65_536) return number;
  throw new CliError("INVALID_ARGUMENT", "a port is a number from 0 to 65535");
}

async function emulate(session: Session, [name = ""]: readonly string[], flags: Flags): Promise<void> {
  const served = await start(await serveOf(session, await session.providers.choose(name)), name, flags);
  try {
    if (flags.machines !== undefined && served.machines === undefined) throw noMachines(name);
    announce(session, name, served, flags);
    await interrupted(session.world.signal);
  } finally {
    await served.close();
  }
}

async function serveOf(session: Session, found: ProviderPackage): Promise<Serve> {
  const manifest = found.directory === null ? null : await readManifest(found.directory);
  const file = manifest === null ? null : entryFile(manifest, "./emulator");
  if (manifest === null || file === null) throw nothingToServe(found);
  const module = await session.providers.importModule(found, pathToFileURL(join(manifest.directory, file)).href);
  const serve = Reflect.get(Object(module), "serve");
  if (typeof serve !== "function") throw nothingToServe(found);
  // Its answer is checked before it is used.
  return serve as Serve;
}

function nothingToServe({ packageName }: ProviderPackage): CliError {
  return new CliError(
    "UNSUPPORTED",
    `${packageName} has no emulator that another process could use`,
    "Its README says how it is tried without its remote.",
  );
}

function noMachines(name: string): CliError {
  return new CliError(
    "UNSUPPORTED",
    `the emulator of ${name} has no machines to choose`,
    "Leave --machines out: its README says what its instances are.",
  );
}

async function start(serve: Serve, name: string, { port, speed, machines }: Flags): Promise<Served> {
  const possible = await possibleMachines(machines);
  let served: unknown;
  try {
    served = await serve({ port, speed, machines: possible });
  } catch (error) {
    if (Reflect.get(Object(error), "code") !== "EADDRINUSE") throw error;
    throw new CliError("INVALID_ARGUMENT", `port ${port} is taken`, "Name another, or none: then a free one is found.");
  }
  if (isServed(served)) return served;
  throw new CliError(
    "BROKEN_PROVIDER",
    `the emulator of ${name} answered neither baseUrl nor program, with variables and close`,
  );
}

async function possibleMachines(wanted: MachinesKind | undefined): Promise<MachinesKind> {
  if (wanted === "none") return wanted;
  const { machinesMissing } = await import("@slipway/provider-kit/emulator");
  const kind = wanted ?? "light";
  const missing = await machinesMissing(kind);
  if (missing === null) return kind;
  if (wanted === undefined) return "none";
  throw new CliError("MISSING_TOOL", `there can be no ${kind} machines here: ${missing}`, "Use --machines none.");
}

function isServed(value: unknown): value is Served {
  return (
    isRecord(value) &&
    (typeof value["baseUrl"] === "string" || typeof value["program"] === "string") &&
    isRecord(value["variables"]) &&
    Object.values(value["variables"]).every((text) => typeof text === "string") &&
    (value["machines"] === undefined || typeof value["machines"] === "string") &&
    typeof value["close"] === "function"
  );
}

/** The variables are what a person or a program needs; they alone are the result. */
function announce({ json, output }: Session, name: string, served: Served, { speed = 1 }: Flags): void {
  const { baseUrl, program, variables, machines } = served;
  if (json) return output.line({ provider: name, baseUrl, program, variables, speed, machines });
  const pace = speed === 1 ? "" : `, ${speed} times as fast as real time`;
  output.note(
    `The emulator of ${name} ${baseUrl === undefined ? `is the program ${program}` : `answers at ${baseUrl}`}${pace}.${machines === undefined ? "" : ` Its machines: ${machines}.`} In another terminal:\n`,
  );
  for (const [variable, value] of Object.entries(variables))
    output.raw(`export ${shellCommand([`${variable}=${value}`])}\n`);
  output.note(`\n  slipway list --provider ${name}\n\nCtrl-C ends it, and all that it holds.`);
}

const LONG_MS = 1_000_000_000;

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // Of a program nothing here waits for anything, and Node would end.
    const alive = setInterval(() => undefined, LONG_MS);
    const over = (): void => {
      clearInterval(alive);
      resolve();
    };
    signal.addEventListener("abort", over, { once: true });
  });
}
