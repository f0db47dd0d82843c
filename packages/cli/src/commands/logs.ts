import { canLog } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly follow?: boolean;
}

export const configure: Configure = (command, run) => {
  command.argument("<id-or-key>", "the instance").option("-f, --follow", "go on with what is yet to come");
  run<Flags>(command, logs);
};

async function logs(session: Session, [word = ""]: readonly string[], flags: Flags): Promise<void> {
  const { provider, instance } = await mustLocate(session, word);
  if (!canLog(provider)) {
    throw new CliError(
      "UNSUPPORTED",
      `${provider.name} has no logs`,
      `Where there is cloud-init: slipway ssh ${instance.id} sudo cat /var/log/cloud-init-output.log`,
    );
  }
  const { signal } = session.world;
  const lines = provider.logs(instance.id, { signal, ...(flags.follow === true ? { follow: true } : {}) });
  for await (const line of lines) {
    if (session.json) session.output.line({ id: instance.id, line });
    else session.output.remote(`${line}\n`);
  }
}
