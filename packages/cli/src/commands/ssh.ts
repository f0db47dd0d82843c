import { join } from "node:path";
import { canExec, deadline, type Instance, type SshEndpoint } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty } from "../command.ts";
import { inputPath } from "../input-file.ts";
import { type Located, mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";
import { isSystemError } from "../system-error.ts";

interface Flags {
  readonly identity?: string;
}

export const configure: Configure = (command, run) => {
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
  return runSsh(session, await mustLocate(session, word), remote, flags.identity);
}

/** Hands the terminal to the system's ssh, and answers its exit code. */
export async function runSsh(
  session: Session,
  located: Located,
  remote: readonly string[],
  identity?: string,
): Promise<number> {
  const { world, state } = session;
  const endpoint = located.instance.ssh;
  if (endpoint === undefined) throw noSsh(located);
  refuseHostile(located, endpoint);
  await state.make(state.knownHosts);
  const knownHosts = join(state.knownHosts, fileNameFor(located.instance));
  const key = identity === undefined ? [] : ["-i", inputPath(world, identity)];
  session.progress.stop();
  const { timeoutMs } = session.call;
  const limit = timeoutMs === undefined ? null : deadline(world.clock, timeoutMs, world.signal);
  try {
    const args = [...sshArguments(endpoint, knownHosts, timeoutMs), ...key, "--", endpoint.host, ...remote];
    const exitCode = await world.spawnProcess("ssh", args, limit?.signal ?? world.signal);
    if (limit?.signal.aborted === true && !world.signal.aborted) throw timedOut(located, timeoutMs ?? 0);
    return exitCode;
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    throw new CliError("MISSING_TOOL", "there is no ssh on this machine", "Install OpenSSH's client.", error);
  } finally {
    limit?.release();
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
