import type { Cost } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, oneOf, several } from "../command.ts";
import type { Session } from "../session.ts";
import { supporting } from "../supported.ts";
import type { Column } from "../table.ts";
import { showPrices } from "./spot.ts";

interface Flags {
  readonly spec?: readonly string[];
  readonly region?: readonly string[];
  readonly spent?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly groupBy?: "day" | "instance" | "spec";
}

const DAY_MS = 86_400_000;
const COLUMNS: readonly Column<Cost>[] = [
  { title: "GROUP", text: (one) => one.group ?? "" },
  { title: "USD", text: (one) => one.usd.toFixed(2) },
  { title: "FROM", text: (one) => one.from },
  { title: "TO", text: (one) => one.to },
  { title: "STATE", text: (one) => (one.estimated ? "may still change" : "final") },
];

export const configure: Configure = (command, run) => {
  command
    .option("--spec <name>", "only this machine type; several times", several)
    .option("--region <name>", "only this region; several times", several)
    .option("--spent", "what your instances have cost, instead of what spot instances cost now")
    .option("--from <time>", "with --spent: its start, as 2026-01-31 (default: seven days ago)", time)
    .option("--to <time>", "with --spent: its end (default: now)", time)
    .option("--group-by <what>", "with --spent: day, instance or spec", oneOf("day", "instance", "spec"))
    .addHelpText("after", "\nA remote may charge for the question that --spent asks.\n");
  run<Flags>(command, prices);
};

function time(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new CliError("INVALID_ARGUMENT", "a time is written as 2026-01-31 or 2026-01-31T12:00:00Z");
  return at.toISOString();
}

async function prices(session: Session, args: readonly string[], flags: Flags): Promise<void> {
  if (flags.spent !== true) return showPrices(session, args, flags);
  const provider = await supporting(session, "costExplorer");
  const now = session.world.clock.now();
  const costs = await session.progress.during("asking for costs", () =>
    provider.getCosts({
      ...session.call,
      from: flags.from ?? new Date(now - 7 * DAY_MS).toISOString(),
      to: flags.to ?? new Date(now).toISOString(),
      groupBy: flags.groupBy,
    }),
  );
  session.output.list(costs, COLUMNS, "No costs.");
}
