import type { Configure } from "../command.ts";
import { type Finding, findings } from "../diagnosis.ts";
import { EXIT } from "../exit-code.ts";
import type { Session } from "../session.ts";
import type { Tone } from "../style.ts";
import type { Column } from "../table.ts";

const TONES: Readonly<Record<Finding["state"], Tone>> = { ok: "good", warning: "warn", failed: "bad" };

const COLUMNS: readonly Column<Finding>[] = [
  { title: "", text: (finding) => finding.state, tone: (finding) => TONES[finding.state] },
  { title: "CHECK", text: (finding) => finding.check },
  { title: "", text: (finding) => (finding.hint === undefined ? finding.says : `${finding.says}. ${finding.hint}`) },
];

export const configure: Configure = (command, run) => {
  command.addHelpText(
    "after",
    "\nIt starts, changes and ends no instance; each provider's own start-up check is called. Exit code 1 if one failed.\n",
  );
  run(command, doctor);
};

async function doctor(session: Session): Promise<number> {
  const found = await session.progress.during("looking", () => findings(session));
  session.output.list(found, COLUMNS, "");
  return found.some(({ state }) => state === "failed") ? EXIT.failure : EXIT.ok;
}
