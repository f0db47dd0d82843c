import { createHash } from "node:crypto";
import { join } from "node:path";
import { canExec, type Instance, type SshEndpoint } from "@slipway/core";
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
  await state.make(state.knownHosts);
  const knownHosts = join(state.knownHosts, fileNameFor(located.instance));
  const key = identity === undefined ? [] : ["-i", inputPath(world, identity)];
  session.progress.stop();
  try {
    return await world.spawnProcess("ssh", [
      ...sshArguments(endpoint, knownHosts),
      ...key,
      "--",
      endpoint.host,
      ...remote,
    ]);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    throw new CliError("MISSING_TOOL", "there is no ssh on this machine", "Install OpenSSH's client.", error);
  }
}

function sshArguments({ port, user }: SshEndpoint, knownHosts: string): readonly string[] {
  return [
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
  return createHash("sha256").update(`${provider}\n${id}`).digest("hex").slice(0, 40);
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
