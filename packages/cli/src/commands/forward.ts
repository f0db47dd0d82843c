import { canExec } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty } from "../command.ts";
import { mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";
import { runSsh } from "./inside.ts";

interface Flags {
  readonly identity?: string;
}

export const configure: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .argument("<ports...>", "a port there, or <port here>:<port there>")
    .option("-i, --identity <file>", "the private key", notEmpty)
    .addHelpText(
      "after",
      `
Examples:
  slipway forward train-7 6006
  slipway forward web-1 8080:80 9090

It listens on 127.0.0.1 alone, and ends with Ctrl-C or with the connection.
`,
    );
  run<Flags>(command, forward);
};

async function forward(session: Session, [word = "", ...ports]: readonly string[], flags: Flags): Promise<number> {
  const pairs = ports.map(portsOf);
  const located = await mustLocate(session, word);
  const { provider, instance } = located;
  if (instance.ssh === undefined && canExec(provider)) {
    throw new CliError(
      "UNSUPPORTED",
      `forwarding goes over ssh, and ${instance.id} of ${provider.name} has no ssh address`,
      "Where an instance shares this machine's network, as those of local do, connect to 127.0.0.1 itself.",
    );
  }
  const said = pairs.map(([here, there]) => `127.0.0.1:${here} leads to port ${there} of the instance`).join(", ");
  return runSsh(session, located, {
    identity: flags.identity,
    options: [
      ...["-N", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15"],
      // Over a connection that the user's own ssh shares, the port would stay open after this command.
      ...["-o", "ControlMaster=no", "-o", "ControlPath=none"],
      // ssh says nothing of its own once it listens; it runs this command then, on this machine.
      ...["-o", "PermitLocalCommand=yes", "-o", `LocalCommand=echo ${said}`],
      ...pairs.flatMap(([here, there]) => ["-L", `127.0.0.1:${here}:127.0.0.1:${there}`]),
    ],
  });
}

function portsOf(word: string): readonly [number, number] {
  const [, here = "", there = here] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(word) ?? [];
  const pair = [Number(here), Number(there)] as const;
  if (here !== "" && pair.every((port) => port >= 1 && port <= 65_535)) return pair;
  throw new CliError("INVALID_ARGUMENT", `${JSON.stringify(word)} is no port`, "Write 8080, or 8080:80.");
}
