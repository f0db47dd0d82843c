import type { Instance } from "@slipway/core";
import type { Configure } from "../command.ts";
import { instanceFields } from "../instance-view.ts";
import { mustLocate, requireCapability } from "../locate.ts";
import type { Session } from "../session.ts";

export const configureHibernate: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .addHelpText("after", "\nOnly an instance that was spawned with --hibernation can. It may still cost money.\n");
  run(command, change("hibernate", "hibernating"));
};

export const configureResume: Configure = (command, run) => {
  command.argument("<id-or-key>", "the instance");
  run(command, change("resume", "resuming"));
};

function change(method: "hibernate" | "resume", doing: string) {
  return async (session: Session, [word = ""]: readonly string[]): Promise<void> => {
    const located = await mustLocate(session, word);
    const provider = requireCapability(located.provider, "hibernation");
    const { id } = located.instance;
    const changed: Instance = await session.progress.during(`${doing} ${id}`, () => provider[method](id, session.call));
    if (session.json) session.output.document(changed);
    else session.output.fields(instanceFields(changed, session.world.clock));
  };
}
