import type { IdleOptions, IdleOutcome, Reaped, ReapReport } from "@slipway/control";
import { canExec, type Provider } from "@slipway/core";
import { CliError, EXIT } from "../cli-error.ts";
import { type Configure, duration, notEmpty, oneOf } from "../command.ts";
import { classify } from "../error-report.ts";
import { inputPath } from "../files.ts";
import type { Column } from "../output.ts";
import { printable, type Tone } from "../printable.ts";
import { formatDuration } from "../quantities.ts";
import { REAP_PLACES, type ReapPlace, reapFiles } from "../reap-files.ts";
import { noteLeftOut, type Scope, scopeOf } from "../scope.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly dryRun?: boolean;
  readonly print?: ReapPlace;
  readonly idle?: number;
  readonly identity?: string;
}

type Row = (Reaped | IdleOutcome) & { readonly provider: string };

const TONES: Readonly<Record<Row["outcome"], Tone>> = {
  terminated: "good",
  gone: "quiet",
  expired: "warn",
  waiting: "quiet",
  skipped: "warn",
  failed: "bad",
  idle: "warn",
  watching: "quiet",
  busy: "quiet",
  unknown: "warn",
};
const QUIET: ReadonlySet<Row["outcome"]> = new Set(["waiting", "gone", "watching", "busy"] as const);
const COLUMNS: readonly Column<Row>[] = [
  { title: "OUTCOME", text: (row) => row.outcome, tone: (row) => TONES[row.outcome] },
  { title: "PROVIDER", text: (row) => row.provider },
  { title: "ID", text: (row) => row.instanceId },
  { title: "KEY", text: (row) => row.key ?? "" },
  { title: "EXPIRED", text: (row) => ("expiresAt" in row ? row.expiresAt : "") },
  {
    title: "WHY",
    text: (row) => ("why" in row ? row.why : "idleMs" in row ? `idle for ${formatDuration(row.idleMs)}` : ""),
  },
];

export const configure: Configure = (command, run) => {
  command
    .option("--dry-run", "only show what is expired")
    .option("--print <place>", "print files that run this: systemd, cron, github or kubernetes", oneOf(...REAP_PLACES))
    .option("--idle <time>", "also terminate what has had nothing to do for so long, as 30m", duration)
    .option("-i, --identity <file>", "the private key to look inside with, where a provider has no exec", notEmpty)
    .addHelpText(
      "after",
      "\nIt terminates what has been expired for 10 minutes (--ttl), and asks nobody. The exit code is 1 where it could not\n" +
        "look everywhere, or where a remote's clock and this machine's differ: the rest is done all the same.\n" +
        "With --idle it looks into each running instance, and remembers what it saw: run it every few minutes, from one machine.\n" +
        "Less than a tenth of a processor in use, and GPUs at rest, is idle. What cannot be seen stays.\n",
    );
  run<Flags>(command, reapExpired);
};

async function reapExpired(session: Session, _args: readonly string[], flags: Flags): Promise<number> {
  if (flags.print !== undefined) return printFiles(session, flags.print, flags);
  await mustKnowOwner(session);
  const { reap, remoteClock } = await import("@slipway/control");
  const remote = remoteClock();
  session.providers.hearDates(remote.onRemoteDate);
  const scope = await scopeOf(session);
  const { providers, failures } = await loadAll(session, scope);
  const report = await session.progress.during("looking for what has expired", async () =>
    reap(providers, {
      store: await session.store(),
      remoteClock: remote,
      dryRun: flags.dryRun,
      idle: idleOptions(session, flags),
      ...session.call,
      clock: session.world.clock,
    }),
  );
  // From cron every line is a mail.
  if (flags.dryRun === true) noteLeftOut(session, scope.leftOut);
  tell(session, report, { isDryRun: flags.dryRun === true, sawAll: failures.length === 0 && report.complete });
  for (const failure of [...failures, ...failuresOf(report)]) session.report(failure);
  return failures.length === 0 && report.complete ? EXIT.ok : EXIT.failure;
}

function idleOptions(session: Session, { idle: forMs, identity }: Flags): IdleOptions | undefined {
  if (forMs === undefined) return undefined;
  const identityFile = inputPath(session.world, identity ?? "");
  return {
    forMs,
    openSession: async (provider, { id }) => {
      if (identity === undefined && !canExec(provider)) {
        throw new CliError(
          "MISSING_ARGUMENT",
          `${printable(id)} cannot be looked into: provider ${provider.name} has no exec, so it takes a key to log in`,
          "Add --identity with the file of the private key.",
        );
      }
      const { openSession } = await import("@slipway/reach");
      return openSession(provider, id, { ...session.call, identityFile });
    },
  };
}

/** Under an owner that is made now nothing runs, and a run that finds nothing would look as if all were well. */
async function mustKnowOwner(session: Session): Promise<void> {
  if ((await session.providers.knownOwner()) !== null) return;
  throw new CliError(
    "UNKNOWN_OWNER",
    "nothing here says whose instances these are: nothing was launched from here, and slipway.config names no owner",
    'Put the owner of the machine that launches into slipway.config: { "owner": "…" }. It is in ~/.local/state/slipway/owner there.',
  );
}

/** All configured providers that can be asked, and why the others cannot. */
async function loadAll(
  session: Session,
  scope: Scope,
): Promise<{ readonly providers: readonly Provider[]; readonly failures: readonly unknown[] }> {
  const { unreachable } = await import("../remembered.ts");
  const { launches, unread } = await scope.remembered();
  const failures: unknown[] = [...(await unreachable(session, launches)), ...(unread === undefined ? [] : [unread])];
  const providers: Provider[] = [];
  for (const name of scope.asked) {
    try {
      providers.push((await session.providers.load(name)).provider);
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      failures.push(error);
    }
  }
  return { providers, failures };
}

function tell(
  session: Session,
  report: ReapReport,
  { isDryRun, sawAll }: { readonly isDryRun: boolean; readonly sawAll: boolean },
): void {
  if (session.json) {
    session.output.document(documentOf(report));
    return;
  }
  const rows = report.providers.flatMap(({ provider, instances, idle }): readonly Row[] =>
    [...instances, ...idle].map((one) => ({ ...one, provider })),
  );
  // From cron every line is a mail: what has ended is worth one, and what only waits is not.
  const shown = isDryRun ? rows : rows.filter(({ outcome }) => !QUIET.has(outcome));
  if (shown.length > 0) session.output.list(shown, COLUMNS, "");
  else if (isDryRun) session.output.note(sawAll ? "Nothing has expired." : "Nothing has expired where it could look.");
  if (!isDryRun) return;
  for (const { provider, clock } of report.providers) {
    if (clock.state === "unknown") session.output.note(`${provider} shows no clock to compare with this machine's.`);
  }
}

function documentOf({ providers, complete }: ReapReport): object {
  return {
    complete,
    providers: providers.map(({ error, instances, idle, ...rest }) => ({
      ...rest,
      instances: instances.map(documented),
      idle: idle.map(documented),
      ...(error === undefined ? {} : { error: classify(error).toJSON() }),
    })),
  };
}

function documented(one: Reaped | IdleOutcome): object {
  return one.outcome === "failed" ? { ...one, error: classify(one.error).toJSON() } : one;
}

function failuresOf({ providers }: ReapReport): readonly unknown[] {
  return providers.flatMap(({ provider, clock, error, instances, idle }) => [
    ...(clock.state === "differs" ? [clockDiffers(provider, clock.aheadMs)] : []),
    ...(error === undefined ? [] : [error]),
    ...[...instances, ...idle].flatMap((one) => (one.outcome === "failed" ? [one.error] : [])),
  ]);
}

function clockDiffers(provider: string, aheadMs: number): CliError {
  const difference = `${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"}`;
  return new CliError(
    "CLOCK_DIFFERS",
    `this machine's clock is ${difference} ${printable(provider)}'s: only what has expired by both was terminated`,
    "Set this machine's clock (timedatectl set-ntp true), and run it again.",
  );
}

/** As files are to be: with `--json` apart, else one below the other, each under its path. */
function printFiles(
  { output, json, world, namedProvider, call }: Session,
  place: ReapPlace,
  { dryRun = false, idle, identity }: Flags,
): number {
  if (idle !== undefined && (place === "github" || place === "kubernetes")) {
    throw new CliError(
      "INVALID_ARGUMENT",
      `--idle remembers what it saw in this user's state directory, and on ${place} each run begins with an empty one`,
      "Print the files for systemd or cron, or call `reap` with a shared store in a program of your own.",
    );
  }
  if (/[\r\n]/.test(world.cwd))
    throw new CliError("INVALID_ARGUMENT", "the name of this directory has a line break in it");
  // What is printed does what this line asks for, and no more.
  const words = [
    "reap",
    ...(namedProvider === undefined ? [] : ["--provider", namedProvider]),
    ...(dryRun ? ["--dry-run"] : []),
    ...(idle === undefined ? [] : ["--idle", `${idle}ms`]),
    ...(identity === undefined ? [] : ["--identity", inputPath(world, identity)]),
    ...(call.timeoutMs === undefined ? [] : ["--timeout", `${call.timeoutMs}ms`]),
  ];
  const files = reapFiles(place, { words, directory: world.cwd, uid: world.uid });
  if (json) output.document(files);
  else output.raw(files.map(({ path, content }) => `# ${path}\n${content}`).join("\n"));
  return EXIT.ok;
}
