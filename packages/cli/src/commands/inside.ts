import { join } from "node:path";
import { canExec, canOpenTerminal, deadline, type Instance, type SshEndpoint } from "@slipway/core";
import { CliError, isSystemError } from "../cli-error.ts";
import { type Configure, notEmpty } from "../command.ts";
import { checkReadable, inputPath, readInput } from "../files.ts";
import { handTerminal } from "../hand-terminal.ts";
import { type Located, mustLocate } from "../locate.ts";
import { shellCommand } from "../printable.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly identity?: string;
}

export const configureSsh: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .argument("[command...]", "what to run there, as ssh takes it")
    .option("-i, --identity <file>", "the private key", notEmpty)
    .addHelpText(
      "after",
      "\nThe first connection trusts the host key that it sees; it is remembered for this instance alone.\nThe exit code is ssh's.\n",
    );
  run<Flags>(command, ssh);
};

async function ssh(session: Session, [word = "", ...remote]: readonly string[], flags: Flags): Promise<number> {
  return runSsh(session, await mustLocate(session, word), { remote, identity: flags.identity });
}

export interface SshRun {
  /** What runs there, as ssh takes it. */
  readonly remote?: readonly string[];
  readonly identity?: string | undefined;
  /** Further options of ssh. */
  readonly options?: readonly string[];
}

/** Hands the terminal to the system's ssh, and answers its exit code. */
export async function runSsh(
  session: Session,
  located: Located,
  { remote = [], identity, options = [] }: SshRun,
): Promise<number> {
  const { world, state } = session;
  const endpoint = located.instance.ssh;
  if (endpoint === undefined) throw noSsh(located);
  refuseHostile(located, endpoint);
  await state.make(state.knownHosts);
  const knownHosts = join(state.knownHosts, fileNameFor(located.instance));
  const key = identity === undefined ? [] : ["-i", inputPath(world, identity)];
  const own = [...sshArguments(endpoint, knownHosts, session.call.timeoutMs), ...key, ...options];
  try {
    return await handTerminal(session, "ssh", [...own, "--", endpoint.host, ...remote], (timeoutMs) =>
      timedOut(located, timeoutMs),
    );
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    throw new CliError("MISSING_TOOL", "there is no ssh on this machine", "Install OpenSSH's client.", error);
  }
}

// An address that swallows packets would hold the command for minutes.
const CONNECT_MS = 30_000;

function timedOut({ instance }: Located, timeoutMs: number): CliError {
  return new CliError(
    "SSH_TIMEOUT",
    `ssh to ${instance.id} was ended after ${timeoutMs} ms, as --timeout says`,
    "What it started in the instance may go on.",
  );
}

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/;
const IPV6 = /^[0-9A-Fa-f:]+(:[0-9.]+)?(%[A-Za-z0-9._-]+)?$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$/;

/** The address is what a remote says: ssh, and commands in the user's ssh_config, would read options or a script in it. */
function refuseHostile({ instance }: Located, { host, port, user }: SshEndpoint): void {
  const isHost = HOST_NAME.test(host) || (host.includes(":") && IPV6.test(host));
  if (isHost && USER.test(user) && Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new CliError(
    "NO_SSH",
    `${instance.provider} says that ${instance.id} is at ${JSON.stringify(`${user}@${host}:${port}`)}, which is no address that ssh is given`,
    "Nothing was run. Look at the instance with the provider's own tools.",
  );
}

function sshArguments(
  { port, user }: SshEndpoint,
  knownHosts: string,
  timeoutMs: number = CONNECT_MS,
): readonly string[] {
  return [
    ...["-o", `ConnectTimeout=${Math.ceil(Math.min(timeoutMs, CONNECT_MS) / 1000)}`],
    ...["-o", `UserKnownHostsFile=${optionPath(knownHosts)}`],
    ...["-o", "StrictHostKeyChecking=accept-new"],
    ...["-o", "HashKnownHosts=no"],
    ...["-p", String(port)],
    ...["-l", user],
  ];
}

/** A path as ssh reads it in an option: in quotes, and with nothing in it that it would expand. */
function optionPath(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}

/** An id may hold any character, a file's name may not. */
function fileNameFor({ provider, id }: Instance): string {
  return process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(`${provider}\n${id}`)
    .digest("hex")
    .slice(0, 40);
}

function noSsh({ provider, instance }: Located): CliError {
  const pending = instance.status === "pending";
  const instead = canExec(provider)
    ? `Use \`slipway exec ${instance.id} -- <command>\`: ${provider.name} needs no ssh.`
    : "Give a public key with --ssh-key when you spawn; `slipway get` shows what the provider tells.";
  return new CliError(
    "NO_SSH",
    `${instance.id} is ${instance.status} and has no ssh address${pending ? " yet" : ""}`,
    pending ? `Wait for it: slipway wait ${instance.id}` : instead,
  );
}

interface Flags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly identity?: string;
}

export const configureExec: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .argument("<command...>", "the program and its arguments; no shell reads them")
    .option("-i, --stdin", "hand this command's stdin on, to its end; text, not bytes")
    .option("-t, --tty", "give the command this terminal, as a shell or an editor needs it")
    .option("--identity <file>", "the private key, where ssh is used", notEmpty)
    .addHelpText(
      "after",
      `
Options behind -- are the command's: slipway exec web-1 -- ls -la /
A shell: slipway exec -it web-1 -- bash
The exit code is the command's own.
`,
    );
  run<Flags>(command, exec);
};

async function exec(session: Session, [word = "", ...argv]: readonly string[], flags: Flags): Promise<number> {
  const located = await mustLocate(session, word);
  const { provider, instance } = located;
  const { identity } = flags;
  // ssh joins its words for a shell to read: quoted, the shell reads them back as they were.
  const remote = [shellCommand(argv)];
  if (flags.tty === true) return runOnTerminal(session, located, argv, identity);
  // Without --stdin ssh would read what the caller's loop is reading.
  if (!canExec(provider)) return runSsh(session, located, { remote, identity, options: flags.stdin ? [] : ["-n"] });

  const { output } = session;
  const result = await provider.exec(instance.id, argv, {
    ...session.call,
    ...(flags.stdin === true ? { stdin: await readInput(session.world, "-", "the input on") } : {}),
    ...(session.json
      ? {}
      : { onStdout: (chunk: string) => output.raw(chunk), onStderr: (chunk: string) => output.rawError(chunk) }),
  });
  if (session.json) output.document(result);
  return result.exitCode;
}

/** By the provider's own means where it has them, over ssh elsewhere. */
async function runOnTerminal(
  session: Session,
  located: Located,
  argv: readonly string[],
  identity: string | undefined,
): Promise<number> {
  const { world, json, call } = session;
  const { provider, instance } = located;
  if (json || !world.stdin.isTTY || !world.stdout.isTTY) {
    throw new CliError(
      "INVALID_ARGUMENT",
      "--tty hands a terminal on, and this command has none",
      "Leave --tty out: --stdin alone hands on what is piped in.",
    );
  }
  const withoutTty = `Without --tty it works: slipway exec ${instance.id} -- <command>`;
  if (canOpenTerminal(provider)) {
    const { file, args } = await provider.terminalCommand(instance.id, argv, call);
    return await handTerminal(
      session,
      file,
      args,
      (timeoutMs) =>
        new CliError(
          "TERMINAL_TIMEOUT",
          `the terminal was closed after ${timeoutMs} ms, as --timeout says`,
          "What it started in the instance may go on.",
        ),
    );
  }
  if (instance.ssh === undefined && canExec(provider)) {
    throw new CliError(
      "UNSUPPORTED",
      `a terminal goes over ssh, and ${instance.id} of ${provider.name} has no ssh address`,
      withoutTty,
    );
  }
  return await runSsh(session, located, { remote: [shellCommand(argv)], identity, options: ["-t"] });
}

interface Flags {
  readonly identity?: string;
}

export const configureCp: Configure = (command, run) => {
  command
    .argument("<from>", "a path here, or <id-or-key>:<path> on the instance")
    .argument("<to>", "the other of the two")
    .option("-i, --identity <file>", "the private key, where the provider has no exec", notEmpty)
    .addHelpText(
      "after",
      `
Examples:
  slipway cp ./src web-1:src
  slipway cp web-1:/var/log/app.log .

Of a directory the content is copied into the other directory. A path on the instance that does not begin with / begins
at the home there. A path here that holds a colon begins with ./ or /. What comes from an instance is not trusted: nothing
is written outside of <to>.
`,
    );
  run<Flags>(command, copy);
};

async function copy(session: Session, [from = "", to = ""]: readonly string[], flags: Flags): Promise<void> {
  const [source, target] = [remoteOf(from), remoteOf(to)];
  const remote = source ?? target;
  if (remote === null || (source !== null && target !== null)) {
    throw new CliError(
      "INVALID_ARGUMENT",
      "one of the two must be on an instance, and the other one here",
      "Write web-1:path for the one on the instance.",
    );
  }
  if (source === null) await checkReadable(inputPath(session.world, from), "the path");
  const { provider, instance } = await mustLocate(session, remote.instance);
  const { openSession } = await import("@slipway/reach");
  if (flags.identity === undefined && !canExec(provider)) {
    throw new CliError(
      "MISSING_ARGUMENT",
      `provider ${provider.name} has no exec, so it takes a key to log in`,
      "Add --identity with the file of the private key.",
    );
  }
  // Where the provider has exec, no key is read.
  const identityFile = inputPath(session.world, flags.identity ?? "");
  await using inside = await openSession(provider, instance.id, { ...session.call, identityFile });
  const limit = deadline(session.world.clock, session.call.timeoutMs, session.world.signal);
  const { signal } = limit;
  try {
    await session.progress.during(`copying ${from} to ${to}`, () =>
      source === null
        ? inside.upload(inputPath(session.world, from), remote.path, { signal })
        : inside.download(remote.path, inputPath(session.world, to), { signal }),
    );
  } finally {
    limit.release();
  }
}

/** Null for a path on this machine. Ids may hold slashes. */
function remoteOf(word: string): { readonly instance: string; readonly path: string } | null {
  const at = word.indexOf(":");
  if (at < 1 || /^(\.{0,2}|~)\//.test(word)) return null;
  // A drive's letter.
  if (process.platform === "win32" && /^[A-Za-z]:[\\/]/.test(word)) return null;
  return { instance: word.slice(0, at), path: word.slice(at + 1) || "." };
}
