import { canExec } from "@slipway/core";
import type { Configure } from "../command.ts";
import { readInput } from "../input-file.ts";
import { mustLocate } from "../locate.ts";
import { shellCommand } from "../printable.ts";
import type { Session } from "../session.ts";
import { runSsh } from "./ssh.ts";

interface Flags {
  readonly stdin?: boolean;
}

export const configure: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .argument("<command...>", "the program and its arguments; no shell reads them")
    .option("-i, --stdin", "hand this command's stdin on, to its end; text, not bytes")
    .addHelpText(
      "after",
      "\nOptions behind -- are the command's: slipway exec web-1 -- ls -la /\nThe exit code is the command's own.\n",
    );
  run<Flags>(command, exec);
};

async function exec(session: Session, [word = "", ...argv]: readonly string[], flags: Flags): Promise<number> {
  const located = await mustLocate(session, word);
  const { provider, instance } = located;
  // ssh joins its words for a shell to read: quoted, the shell reads them back as they were.
  if (!canExec(provider)) return runSsh(session, located, [shellCommand(argv)]);

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
