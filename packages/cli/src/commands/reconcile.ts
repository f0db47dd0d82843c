import type { ApplyResult, PlanItem, ReconcilePlan } from "@slipway/control";
import type { Provider } from "@slipway/core";
import { removeUnusedKeys, unusedKeys } from "../account-keys.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { type Configure, someOf } from "../command.ts";
import type { Column } from "../output.ts";
import { printable, type Tone } from "../printable.ts";
import type { LoadedProvider } from "../providers.ts";
import { unreachable } from "../remembered.ts";
import { removeDeadRunKeys } from "../run-key.ts";
import { noteLeftOut, scopeOf } from "../scope.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly apply?: boolean;
  readonly yes?: boolean;
  readonly only?: readonly PlanItem["kind"][];
}

interface Planned {
  readonly provider: Provider;
  readonly registration: LoadedProvider["registration"];
  readonly plan: ReconcilePlan;
}

const TONES: Readonly<Record<PlanItem["kind"], Tone>> = {
  orphan: "bad",
  "unknown-run": "warn",
  duplicate: "bad",
  expired: "warn",
  missing: "quiet",
  drifted: "warn",
};
const ACTIONS: Readonly<Record<PlanItem["kind"], string>> = {
  orphan: "terminate",
  "unknown-run": "leave: its run may go on",
  duplicate: "terminate",
  expired: "terminate",
  missing: "forget",
  drifted: "leave: you decide",
};

/** What `--apply` would do: instances of runs that the store does not know end only where they are named. */
function actionsFor(only: Flags["only"]): typeof ACTIONS {
  return only?.includes("unknown-run") === true ? { ...ACTIONS, "unknown-run": "terminate" } : ACTIONS;
}

const columnsFor = (actions: typeof ACTIONS): readonly Column<PlanItem & { readonly provider: string }>[] => [
  { title: "KIND", text: (item) => item.kind, tone: (item) => TONES[item.kind] },
  { title: "PROVIDER", text: (item) => item.provider },
  { title: "ID", text: (item) => item.instanceId },
  { title: "KEY", text: (item) => item.key ?? "" },
  { title: "--APPLY WOULD", text: (item) => actions[item.kind] },
  { title: "WHY", text: (item) => item.reason },
];

export const configure: Configure = (command, run) => {
  command
    .option("--apply", "do what the plan says, after a confirmation")
    .option(
      "--only <kind>",
      "only orphan, unknown-run, duplicate, expired, missing or drifted; several times",
      someOf("orphan", "unknown-run", "duplicate", "expired", "missing", "drifted"),
    )
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      "\nWithout --apply nothing is changed. An instance of `slipway spot request` counts as an orphan. What a\n" +
        "run made that the store does not know ends only with --only unknown-run: it may go on, on an engine or in another store. With --apply also the keys\n" +
        "are removed that launches added to an account, and that no instance needs any more.\n",
    );
  run<Flags>(command, reconcile);
};

async function reconcile(session: Session, _args: readonly string[], flags: Flags): Promise<number> {
  const { plans, failures } = await session.progress.during("comparing", () => plansOf(session, flags.only));
  const exitCode = await actOn(session, plans, flags, failures.length === 0);
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
  return exitCode;
}

async function actOn(session: Session, plans: readonly Planned[], flags: Flags, complete: boolean): Promise<number> {
  const nothing = complete ? "All is as it was launched." : "Nothing else is to be done.";
  const actions = actionsFor(flags.only);
  const columns = columnsFor(actions);
  const items = plans.flatMap(({ plan }) => plan.items.map((item) => ({ ...item, provider: plan.provider })));
  if (flags.apply !== true) {
    if (session.json) session.output.document(plans.map(({ plan }) => plan));
    else session.output.list(items, columns, nothing);
    return EXIT.ok;
  }
  if (!session.json) session.output.list(items, columns, nothing);
  const yes = flags.yes === true;
  if (items.length > 0) await confirm(session, questionOf(items, actions), yes);
  const exitCode = await applyAll(session, plans, flags.only);
  if (flags.only === undefined) await removeKeys(session, plans, yes || items.length > 0);
  return exitCode;
}

/** The plans that could be made, and why the others could not. */
async function plansOf(
  session: Session,
  only: Flags["only"],
): Promise<{ readonly plans: readonly Planned[]; readonly failures: readonly unknown[] }> {
  const { reconcile: planFor } = await import("@slipway/control");
  const store = await session.store();
  const scope = await scopeOf(session);
  noteLeftOut(session, scope.leftOut);
  const { launches: records, unread } = await scope.remembered();
  const unseen = await unreachable(session, records);
  const failures: unknown[] = [...unseen, ...(unread === undefined ? [] : [unread])];
  const hidden = new Set(unseen.flatMap(({ launches }) => launches.map(({ provider, id }) => `${provider}\n${id}`)));
  const plans: Planned[] = [];
  for (const name of scope.asked) {
    try {
      const { provider, registration } = await session.providers.load(name);
      const plan = await planFor(provider, { store, signal: session.world.signal, clock: session.world.clock });
      const items = plan.items.filter(
        ({ kind, instanceId }) =>
          (only === undefined || only.includes(kind)) &&
          // A listing that leaves out a region has not seen that what ran there is missing.
          !(kind === "missing" && hidden.has(`${name}\n${instanceId}`)),
      );
      plans.push({ provider, registration, plan: { ...plan, items } });
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      failures.push(error);
    }
  }
  return { plans, failures };
}

function questionOf(items: readonly PlanItem[], actions: typeof ACTIONS): string {
  const ends = items.filter((item) => actions[item.kind] === "terminate").length;
  return `Apply ${items.length} item${items.length === 1 ? "" : "s"}, ${ends} of which end an instance?`;
}

async function confirm(session: Session, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!session.interactive) {
    throw new CliError("NEEDS_CONFIRMATION", "--apply changes things, and there is no terminal to ask", "Add --yes.");
  }
  if ((await session.world.prompter.confirm(question)) !== true) throw new CliError("DECLINED", "nothing was changed");
}

async function applyAll(session: Session, plans: readonly Planned[], only: Flags["only"]): Promise<number> {
  const { apply } = await import("@slipway/control");
  const store = await session.store();
  const results: ApplyResult[] = [];
  for (const { provider, plan } of plans) {
    const { signal, clock } = session.world;
    const applied = await session.progress.during(`applying the plan for ${provider.name}`, () =>
      apply(provider, plan, { store, signal, clock, only }),
    );
    results.push(...applied);
  }
  if (session.json) session.output.document(results);
  else for (const result of results) session.output.text(sentence(result));
  for (const result of results) if (result.outcome === "failed" && !session.json) session.report(result.error);
  return results.some(({ outcome }) => outcome === "failed") ? EXIT.failure : EXIT.ok;
}

/** A launch that was killed left the key that it had added to the account, with an instance or without. */
async function removeKeys(session: Session, plans: readonly Planned[], agreed: boolean): Promise<void> {
  await removeDeadRunKeys();
  if (!agreed) {
    const keys = [];
    for (const { registration } of plans) keys.push(...(await unusedKeys(registration, session.call)));
    if (keys.length === 0) return;
    await confirm(
      session,
      `Remove ${keys.length === 1 ? "a key" : `${keys.length} keys`} that no instance needs?`,
      false,
    );
  }
  for (const { registration } of plans) {
    for (const { id, kind } of await removeUnusedKeys(registration, session.call)) {
      if (!session.json) session.output.text(`${printable(id)} (${printable(kind)}) removed: no instance needs it`);
    }
  }
}

function sentence(result: ApplyResult): string {
  const why = result.outcome === "skipped" ? `: ${printable(result.why)}` : "";
  return `${printable(result.item.instanceId)} (${result.item.kind}) ${result.outcome}${why}`;
}
