import { stat } from "node:fs/promises";
import type { BootstrappedInstance, BootstrapSource } from "@slipway/control";
import {
  type BootstrapConfig,
  type BootstrapFeature,
  type BootstrapFile,
  type Clock,
  canExec,
  canLog,
  canReadBootstrap,
  type Provider,
} from "@slipway/core";
import type { Session as Inside } from "@slipway/reach";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { assignments, notEmpty, someOf } from "./command.ts";
import { inputPath, readInput } from "./files.ts";
import type { Session } from "./session.ts";
import { bootstrapInside, type WayIn } from "./way-in.ts";

export interface BootstrapFlags {
  readonly bootstrap?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly file?: Readonly<Record<string, string>>;
  readonly feature?: readonly BootstrapFeature[];
  readonly controlPlaneUrl?: string;
  readonly registrationTokenFile?: string;
}

/** The options that describe what happens at the first boot. */
export function addBootstrapOptions(command: Command): Command {
  return command
    .option("--bootstrap <file>", "the script that runs at first boot; - reads it from stdin", notEmpty)
    .option(
      "--env <name=value>",
      "set a variable of the script (shows in the process list: see --env-file)",
      assignments,
    )
    .option("--env-file <file>", "variables of the script, a NAME=value line each", notEmpty)
    .option("--file <path=file>", "write a local file into the instance, at an absolute path", assignments)
    .option("--feature <name>", "install docker or tailscale if it is missing", someOf("docker", "tailscale"))
    .option("--control-plane-url <url>", "in the script's environment, as SLIPWAY_CONTROL_PLANE_URL", notEmpty)
    .option("--registration-token-file <file>", "its content becomes SLIPWAY_REGISTRATION_TOKEN", notEmpty);
}

/** The bootstrap that the flags describe; undefined if they say nothing of one. Every value counts as a secret. */
export async function bootstrapFrom(session: Session, flags: BootstrapFlags): Promise<BootstrapConfig | undefined> {
  const { world } = session;
  const environment = { ...(await readEnvFile(session, flags.envFile)), ...flags.env };
  for (const value of Object.values(environment)) session.secrets.add(value);
  const script = flags.bootstrap === undefined ? "" : await readInput(world, flags.bootstrap, "the bootstrap");
  const files = await Promise.all(
    Object.entries(flags.file ?? {}).map(([path, source]) => fileFrom(session, path, source)),
  );
  const token = await readToken(session, flags.registrationTokenFile);
  const config: BootstrapConfig = {
    script,
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(files.length === 0 ? {} : { files }),
    ...(flags.feature === undefined ? {} : { features: [...new Set(flags.feature)] }),
    ...(flags.controlPlaneUrl === undefined ? {} : { controlPlaneUrl: flags.controlPlaneUrl }),
    ...(token === undefined ? {} : { registrationToken: token }),
  };
  return flags.bootstrap === undefined && Object.keys(config).length === 1 ? undefined : config;
}

async function fileFrom(session: Session, path: string, source: string): Promise<BootstrapFile> {
  if (!path.startsWith("/")) {
    throw new CliError(
      "INVALID_ARGUMENT",
      `--file needs an absolute path inside the instance, and ${JSON.stringify(path)} is none`,
    );
  }
  const content = await readInput(session.world, source, "the file");
  const executable = source !== "-" && ((await stat(inputPath(session.world, source))).mode & 0o111) !== 0;
  return { path, content, mode: executable ? "0755" : "0644" };
}

/** `NAME=value` lines; empty ones and those that begin with `#` are skipped, quotes are part of the value. */
async function readEnvFile(session: Session, path: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (path === undefined) return {};
  const text = await readInput(session.world, path, "the env file");
  const variables: (readonly [string, string])[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    // The line itself is not shown: it may hold the secret.
    if (at < 1) throw new CliError("INVALID_ARGUMENT", `the env file ${path} has no NAME=value in line ${index + 1}`);
    variables.push([line.slice(0, at), line.slice(at + 1)]);
  }
  // Not by assignment: a name may be `__proto__`.
  return Object.fromEntries(variables);
}

async function readToken(session: Session, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const token = (await readInput(session.world, path, "the registration token")).trim();
  if (token === "") throw new CliError("INVALID_ARGUMENT", `the registration token file ${path} is empty`);
  session.secrets.add(token);
  return token;
}

// The provider's `get` may report it all the same.
const NO_WAY_IN: BootstrapSource = {
  name: "this command, which has no key to log in with",
  readBootstrap: async () => null,
};

/** Waits for the bootstrap's success, as the provider reports it, or the instance itself where there is a way in. */
export async function waitForBootstrapOf(
  session: Session,
  provider: Provider,
  id: string,
  way: WayIn,
): Promise<BootstrappedInstance> {
  const { waitForBootstrap } = await import("@slipway/control");
  const options = { ...session.call, clock: session.world.clock, onEvent: session.onEvent };
  // With exec of its own the provider has looked inside already.
  if (canReadBootstrap(provider) && (canExec(provider) || !way.exists)) return waitForBootstrap(provider, id, options);
  const from = way.exists ? bootstrapInside(session, provider, way) : NO_WAY_IN;
  return await waitForBootstrap(provider, id, { ...options, from });
}

/** Where the lines of an instance's bootstrap are read: from the first, and on with what is yet to come. */
export type LineSource = (options: { readonly signal: AbortSignal; readonly follow: boolean }) => AsyncIterable<string>;

const AGAIN_MS = 1000;
const CHUNK_BYTES = 256 * 1024;
const LONGEST_LINE = 64 * 1024;
// As control does: what was printed before the end is there by then.
const LAST_LOOK_MS = 10_000;

/** The provider's logs, or the bootstrap's log on the instance; null where there is no way to either. */
export function linesOf(provider: Provider, id: string, way: WayIn, clock: Clock): LineSource | null {
  if (canLog(provider)) return (options) => provider.logs(id, options);
  return way.exists ? (options) => insideLines(way, clock, options) : null;
}

/**
 * Shows the lines while `work` goes on, and what is left of them after it. Lines that cannot be read are left out: they
 * are no reason for `work` to fail.
 */
export async function showingLines<T>(
  lines: LineSource | null,
  clock: Clock,
  show: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  if (lines === null) return await work();
  const stop = new AbortController();
  let shown = 0;
  const take = async (signal: AbortSignal, follow: boolean): Promise<void> => {
    let at = 0;
    for await (const line of lines({ signal, follow })) {
      at += 1;
      if (at <= shown) continue;
      shown = at;
      show(line);
    }
  };
  const following = (async () => {
    while (!stop.signal.aborted) {
      await take(stop.signal, true).catch(() => undefined);
      await clock.sleep(AGAIN_MS, stop.signal).catch(() => undefined);
    }
  })();
  try {
    return await work();
  } finally {
    stop.abort();
    await following;
    await take(AbortSignal.timeout(LAST_LOOK_MS), false).catch(() => undefined);
  }
}

// The log is readable by root alone, and the log-in user of a cloud's image is often another. One that is not there yet
// has no bytes.
const READ = [
  'if [ -r "$1" ]; then as=; elif sudo -n test -r "$1" 2>/dev/null; then as="sudo -n"; elif [ -e "$1" ]; then exit 77; else exit 0; fi',
  '$as tail -c "+$2" "$1" | head -c "$3" | base64',
].join("\n");
const UNREADABLE = 77;

async function* insideLines(
  way: WayIn,
  clock: Clock,
  { signal, follow }: { readonly signal: AbortSignal; readonly follow: boolean },
): AsyncGenerator<string> {
  const { BOOTSTRAP_LOG_PATH } = await import("@slipway/provider-kit/bootstrap");
  const inside = await way.open();
  const decoder = new TextDecoder();
  let rest = "";
  for (let at = 0; ; ) {
    const bytes = await readFrom(inside, BOOTSTRAP_LOG_PATH, at, signal);
    at += bytes.length;
    const pieces = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    yield* pieces;
    // A machine that never ends a line fills no memory.
    if (rest.length > LONGEST_LINE) {
      yield rest;
      rest = "";
    }
    if (bytes.length === CHUNK_BYTES) continue;
    if (!follow) break;
    await clock.sleep(AGAIN_MS, signal);
  }
  if (rest !== "") yield rest;
}

async function readFrom(inside: Inside, path: string, at: number, signal: AbortSignal): Promise<Buffer> {
  const argv = ["/bin/sh", "-c", READ, "sh", path, String(at + 1), String(CHUNK_BYTES)];
  const { exitCode, stdout } = await inside.exec(argv, { signal });
  if (exitCode === 0) return Buffer.from(stdout, "base64");
  throw new CliError(
    "UNSUPPORTED",
    exitCode === UNREADABLE
      ? `the user that this logs in as may not read ${path} on the instance, and has no sudo without a password`
      : `${path} on the instance cannot be read (exit code ${exitCode})`,
    "Log in as root, or look on the instance itself: it needs sh, tail, head and base64.",
  );
}
