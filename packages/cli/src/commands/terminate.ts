import type { Instance, Provider } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { locate, oneProvider, providersInScope, rememberedId } from "../locate.ts";
import { printable } from "../printable.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly confirm?: boolean;
}

/** One thing to end. Without an instance it is an id that nobody knows: it is sent all the same, since a read may lag. */
interface Target {
  readonly provider: Provider;
  readonly id: string;
  readonly instance: Instance | null;
}

interface Ended {
  readonly id: string;
  readonly key: string | null;
  readonly provider: string;
  /** `accepted`: the provider has it. `confirmed`: it is gone. `unknown-id`: nothing was found; it was sent all the same. */
  readonly result: "accepted" | "confirmed" | "unknown-id";
}

const AT_ONCE = 8;

export const configure: Configure = (command, run) => {
  command
    .argument("[id-or-key...]", "what to end")
    .option("--all", "everything of this owner, and of nobody else")
    .option("-y, --yes", "do not ask")
    .option("--confirm", "wait until get and list agree that it is gone")
    .addHelpText("after", "\nAn id that is unknown is no failure: what was to end is not there.\n");
  run<Flags>(command, terminate);
};

async function terminate(session: Session, words: readonly string[], flags: Flags): Promise<number> {
  if (flags.all === true && words.length > 0) {
    throw new CliError("UNEXPECTED_ARGUMENT", "--all excludes ids", "Name what shall end, or say --all.");
  }
  if (flags.all !== true && words.length === 0) {
    throw new CliError(
      "MISSING_ARGUMENT",
      "an id or a key is missing",
      "`slipway list` shows yours; --all ends them all.",
    );
  }
  const targets = flags.all === true ? await everything(session) : await named(session, words);
  if (flags.all === true && !(await agreed(session, targets, flags.yes === true))) return EXIT.ok;
  return endAll(session, targets, flags.confirm === true);
}

/** What was named, each once. */
async function named(session: Session, words: readonly string[]): Promise<readonly Target[]> {
  const targets = new Map<string, Target>();
  for (const word of words) {
    const found = await session.progress.during(`looking for ${word}`, () => target(session, word));
    targets.set(`${found.provider.name}\n${found.id}`, found);
  }
  return [...targets.values()];
}

async function target(session: Session, word: string): Promise<Target> {
  const located = await locate(session, word);
  if (located !== null) return { ...located, id: located.instance.id };
  const { provider } = await oneProvider(session);
  return { provider, id: (await rememberedId(session, provider, word)) ?? word, instance: null };
}

async function everything(session: Session): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (const name of await providersInScope(session)) {
    const { provider } = await session.providers.load(name);
    for (const instance of await provider.list({}, session.call)) {
      // `list` answers this owner's; a provider that breaks this must not cost somebody their machines.
      if (instance.owner !== null && instance.owner !== provider.owner) continue;
      targets.push({ provider, id: instance.id, instance });
    }
  }
  return targets;
}

async function agreed(session: Session, targets: readonly Target[], yes: boolean): Promise<boolean> {
  if (targets.length === 0) {
    if (session.json) session.output.document([]);
    session.output.note("No instances.");
    return false;
  }
  if (yes) return true;
  const count = `${targets.length} instance${targets.length === 1 ? "" : "s"}`;
  if (!session.interactive) {
    throw new CliError("NEEDS_CONFIRMATION", `--all would end ${count}, and there is no terminal to ask`, "Add --yes.");
  }
  for (const { id, instance, provider } of targets) {
    session.output.note(
      `  ${printable(id)}  ${printable(instance?.key ?? "-")}  ${provider.name}  ${instance?.status ?? ""}`,
    );
  }
  if ((await session.world.prompter.confirm(`End ${count}?`)) === true) return true;
  throw new CliError("DECLINED", "nothing was terminated");
}

async function endAll(session: Session, targets: readonly Target[], confirm: boolean): Promise<number> {
  const { output } = session;
  const waiting = [...targets];
  const ended: Ended[] = [];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (session.world.signal.aborted && failures.length > 0) return;
      try {
        ended.push(await end(session, next, confirm));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const label = targets.length === 1 ? `ending ${targets[0]?.id ?? ""}` : `ending ${targets.length} instances`;
  await session.progress.during(label, () =>
    Promise.all(Array.from({ length: Math.min(AT_ONCE, targets.length) }, worker)),
  );
  if (session.json) output.document(ended);
  else for (const one of ended) output.text(sentence(one));
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
  return EXIT.ok;
}

async function end(session: Session, { provider, id, instance }: Target, confirm: boolean): Promise<Ended> {
  if (confirm) {
    const { terminateAndConfirm } = await import("@slipway/control");
    const { clock } = session.world;
    await terminateAndConfirm(provider, id, { ...session.call, clock, onEvent: session.onEvent });
  } else {
    await provider.terminate(id, session.call);
  }
  const key = instance?.key ?? null;
  if (key !== null && (confirm || (await isGoneAtOnce(session, provider, id)))) {
    const { forgetLaunch } = await import("../forget-launch.ts");
    await forgetLaunch(session, provider, key, id);
  }
  const result = confirm ? "confirmed" : instance === null ? "unknown-id" : "accepted";
  return { id, key, provider: provider.name, result };
}

/** Where reads do not lag, one look is a proof. */
async function isGoneAtOnce(session: Session, provider: Provider, id: string): Promise<boolean> {
  if (provider.limits.readAfterWriteMs > 0) return false;
  // It is terminated: a look that fails must not make a failure of that.
  const seen = await provider.get(id, session.call).catch(() => undefined);
  return seen === null || seen?.status === "terminated";
}

const SENTENCES: Readonly<Record<Ended["result"], string>> = {
  accepted: "is being terminated",
  confirmed: "is gone",
  "unknown-id": "was not found: nothing to end",
};

function sentence({ id, key, result }: Ended): string {
  return `${printable(id)}${key === null ? "" : ` (${printable(key)})`} ${SENTENCES[result]}`;
}
