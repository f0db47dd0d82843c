import { INSTANCE_STATUSES, type InstanceStatus } from "@slipway/core";
import { waitForBootstrapOf } from "../bootstrap-wait.ts";
import { type Configure, oneOf } from "../command.ts";
import { instanceFields } from "../instance-view.ts";
import { mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly for?: InstanceStatus | "bootstrap";
}

export const configure: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .option(
      "--for <status>",
      "running (the default), terminated, another status, or bootstrap: its success",
      oneOf("bootstrap", ...INSTANCE_STATUSES),
    )
    .addHelpText("after", "\nWithout --timeout it waits ten minutes.\n");
  run<Flags>(command, wait);
};

async function wait(session: Session, [word = ""]: readonly string[], flags: Flags): Promise<void> {
  const { provider, instance } = await mustLocate(session, word);
  const { waitForStatus } = await import("@slipway/control");
  const options = { ...session.call, clock: session.world.clock, onEvent: session.onEvent };
  const wanted = flags.for ?? "running";
  const reached = await session.progress.during(`waiting for ${instance.id}: ${wanted}`, () =>
    wanted === "bootstrap"
      ? waitForBootstrapOf(session, provider, instance.id)
      : waitForStatus(provider, instance.id, wanted, options),
  );
  if (session.json) session.output.document(reached);
  else session.output.fields(instanceFields(reached, session.world.clock));
}
