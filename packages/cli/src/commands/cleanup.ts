import type { CleanupItem, CleanupMethods } from "@slipway/core";
import { CliError, EXIT } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { oneProvider, providersInScope } from "../locate.ts";
import type { Column } from "../output.ts";
import { printable } from "../printable.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** What one provider could let go of. */
interface Leftovers {
  readonly provider: string;
  readonly cleanup: CleanupMethods;
  readonly items: readonly CleanupItem[];
}

const COLUMNS: readonly Column<CleanupItem & { readonly provider: string }>[] = [
  { title: "KIND", text: (item) => item.kind },
  { title: "PROVIDER", text: (item) => item.provider },
  { title: "ID", text: (item) => item.id },
  { title: "WHY", text: (item) => item.reason },
];
const NOTHING = "Nothing is left over.";

export const configure: Configure = (command, run) => {
  command
    .option("--dry-run", "only show what would be deleted")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      "\nInstances, volumes and snapshots are never touched: `slipway reconcile` is about those.\n" +
        "What is still in use stays.\n",
    );
  run<Flags>(command, cleanUp);
};

async function cleanUp(session: Session, _args: readonly string[], flags: Flags): Promise<number> {
  const found = await session.progress.during("looking for leftovers", () => leftovers(session));
  const rows = found.flatMap(({ provider, items }) => items.map((item) => ({ ...item, provider })));
  if (flags.dryRun === true) {
    if (session.json) session.output.document(rows);
    else session.output.list(rows, COLUMNS, NOTHING);
    return EXIT.ok;
  }
  if (!session.json) session.output.list(rows, COLUMNS, NOTHING);
  if (rows.length > 0) await confirm(session, rows.length, flags.yes === true);
  return removeAll(session, found);
}

async function leftovers(session: Session): Promise<readonly Leftovers[]> {
  const found: Leftovers[] = [];
  for (const name of await providersInScope(session)) {
    const { registration } = await session.providers.load(name);
    const { cleanup } = registration;
    if (cleanup !== undefined) {
      found.push({ provider: name, cleanup, items: await cleanup.planCleanup(session.call) });
    }
  }
  if (found.length > 0 || session.namedProvider === undefined) return found;
  const { provider } = await oneProvider(session);
  throw new CliError("UNSUPPORTED", `${provider.name} makes nothing that would have to be cleaned up`);
}

async function confirm(session: Session, count: number, yes: boolean): Promise<void> {
  if (yes) return;
  if (!session.interactive) {
    throw new CliError("NEEDS_CONFIRMATION", "this deletes things, and there is no terminal to ask", "Add --yes.");
  }
  const question = `Delete ${count === 1 ? "it" : `these ${count}`}?`;
  if ((await session.world.prompter.confirm(question)) !== true) throw new CliError("DECLINED", "nothing was deleted");
}

/** One that fails does not keep the others: all are tried, and all failures are told. */
async function removeAll(session: Session, found: readonly Leftovers[]): Promise<number> {
  const results: (CleanupItem & { readonly provider: string; readonly outcome: string })[] = [];
  const failures: unknown[] = [];
  for (const { provider, cleanup, items } of found) {
    for (const item of items) {
      try {
        const outcome = await cleanup.removeLeftover(item, session.call);
        results.push({ ...item, provider, outcome });
        if (!session.json) session.output.text(`${printable(item.id)} (${printable(item.kind)}) ${outcome}`);
      } catch (error) {
        if (session.world.signal.aborted) throw error;
        failures.push(error);
        results.push({ ...item, provider, outcome: "failed" });
      }
    }
  }
  if (session.json) session.output.document(results);
  else for (const error of failures) session.report(error);
  return failures.length > 0 ? EXIT.failure : EXIT.ok;
}
