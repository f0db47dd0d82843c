import { canExec, deadline } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty } from "../command.ts";
import { checkReadable, inputPath } from "../input-file.ts";
import { mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly identity?: string;
}

export const configure: Configure = (command, run) => {
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
