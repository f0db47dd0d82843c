import type { Configure } from "../command.ts";
import { instanceFields } from "../instance-view.ts";
import { mustLocate } from "../locate.ts";
import type { Session } from "../session.ts";

export const configure: Configure = (command, run) => {
  command.argument("<id-or-key>", "the instance");
  run(command, get);
};

async function get(session: Session, [word = ""]: readonly string[]): Promise<void> {
  const { instance } = await mustLocate(session, word);
  if (session.json) session.output.document(instance);
  else session.output.fields(instanceFields(instance, session.world.clock));
}
