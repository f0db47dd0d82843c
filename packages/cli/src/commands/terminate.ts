import type { LaunchRecord } from "@slipway/control";
import type { Instance, Provider } from "@slipway/core";
import { CliError, EXIT } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { locate, oneProvider } from "../locate.ts";
import { printable } from "../printable.ts";
import { noteLeftOut, scopeOf } from "../scope.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly confirm?: boolean;
}

/** One thing to end. Without an instance it is an id that no read shows: it is sent all the same, since reads may lag. */
interface Target {
  readonly provider: Provider;
  readonly id: string;
  readonly key: string | null;
  readonly instance: Instance | null;
  /** A read of this command, or the record of its launch, has shown this id. */
  readonly seen: boolean;
}

interface Ended {
  readonly id: string;
  readonly key: string | null;
  readonly provider: string;
  /**
   * `accepted`: the provider has it. `confirmed`: it was there, and is gone. `not-found`: nobody has seen it; the request
   * was sent all the same.
   */
  readonly result: "accepted" | "confirmed" | "not-found";
}

const AT_ONCE = 8;

export const configure: Configure = (command, run) => {
  command
    .argument("[id-or-key...]", "what to end")
    .option("--all", "everything of this owner, and of nobody else, on all providers that are configured here")
    .option("-y, --yes", "do not ask")
    .option("--confirm", "wait until get and list agree that it is gone")
    .addHelpText(
      "after",
      "\nExit code 1 if something was not found: it may be in another account, region or provider.\n",
    );
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
  if (flags.all !== true) return endAll(session, await named(session, words), flags.confirm === true);
  const { targets, failures } = await everything(session);
  let exitCode: number = EXIT.ok;
  if (await agreed(session, targets, { yes: flags.yes === true, complete: failures.length === 0 })) {
    exitCode = await endAll(session, targets, flags.confirm === true);
  }
  // Whoever could not be asked may still run something: "all" is not done.
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
  return exitCode;
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
  if (located !== null) return { ...located, id: located.instance.id, key: located.instance.key, seen: true };
  const { rememberedLaunches, isMeant } = await import("../remembered.ts");
  const { launches } = await rememberedLaunches(session);
  for (const { identity, instanceId } of launches.filter((one) => isMeant(one, word))) {
    const inScope = session.namedProvider === undefined || session.namedProvider === identity.provider;
    if (!inScope || instanceId === undefined) continue;
    const { provider } = await session.providers.load(identity.provider);
    if (provider.owner === identity.owner)
      return { provider, id: instanceId, key: identity.key, instance: null, seen: true };
  }
  const { provider } = await oneProvider(session);
  return { provider, id: word, key: null, instance: null, seen: false };
}

interface Everything {
  readonly targets: readonly Target[];
  /** Why the rest is not known. */
  readonly failures: readonly unknown[];
}

async function everything(session: Session): Promise<Everything> {
  const { unreachable } = await import("../remembered.ts");
  const scope = await scopeOf(session);
  const { launches: records, unread } = await scope.remembered();
  const failures: unknown[] = [...(await unreachable(session, records)), ...(unread === undefined ? [] : [unread])];
  const targets: Target[] = [];
  noteLeftOut(session, scope.leftOut);
  for (const name of scope.asked) {
    try {
      const { provider } = await session.providers.load(name);
      targets.push(...(await allOn(session, provider, records)));
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      failures.push(error);
    }
  }
  return { targets, failures };
}

/** This owner's instances: all that are listed, and what is remembered and not listed yet. */
async function allOn(session: Session, provider: Provider, records: readonly LaunchRecord[]): Promise<Target[]> {
  const listed = await provider.list({}, session.call);
  const ids = records.flatMap(({ identity, instanceId }) =>
    identity.provider === provider.name && identity.owner === provider.owner && instanceId !== undefined
      ? [instanceId]
      : [],
  );
  const unlisted = ids.filter((id) => !listed.some((instance) => instance.id === id));
  const read = await Promise.all(unlisted.map((id) => provider.get(id, session.call)));
  return [...listed, ...read].flatMap((instance) => {
    if (instance === null || instance.status === "terminated") return [];
    // `list` returns this owner's; a provider that breaks this must not cost somebody their machines.
    if (instance.owner !== null && instance.owner !== provider.owner) return [];
    return [{ provider, id: instance.id, key: instance.key, instance, seen: true }];
  });
}

async function agreed(
  session: Session,
  targets: readonly Target[],
  { yes, complete }: { readonly yes: boolean; readonly complete: boolean },
): Promise<boolean> {
  if (targets.length === 0) {
    if (session.json) session.output.document([]);
    if (complete) session.output.note("No instances.");
    return false;
  }
  if (yes) return true;
  const count = `${targets.length} instance${targets.length === 1 ? "" : "s"}`;
  if (!session.interactive) {
    throw new CliError("NEEDS_CONFIRMATION", `--all would end ${count}, and there is no terminal to ask`, "Add --yes.");
  }
  for (const { id, key, instance, provider } of targets) {
    session.output.note(`  ${printable(id)}  ${printable(key ?? "-")}  ${provider.name}  ${instance?.status ?? ""}`);
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
  return ended.some(({ result }) => result === "not-found") ? EXIT.failure : EXIT.ok;
}

async function end(session: Session, { provider, id, key, seen }: Target, confirm: boolean): Promise<Ended> {
  if (confirm) {
    const { terminateAndConfirm } = await import("@slipway/control");
    const { clock } = session.world;
    await terminateAndConfirm(provider, id, { ...session.call, clock, onEvent: session.onEvent });
  } else {
    await provider.terminate(id, session.call);
  }
  if (!seen) return { id, key, provider: provider.name, result: "not-found" };
  const gone = confirm || (key !== null && (await isGoneAtOnce(session, provider, id)));
  if (key !== null && gone) {
    const { forgetLaunch } = await import("../expiry.ts");
    await forgetLaunch(session, provider, key, id);
  }
  return { id, key, provider: provider.name, result: confirm ? "confirmed" : "accepted" };
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
  "not-found": "was not found",
};

function sentence({ id, key, result }: Ended): string {
  return `${printable(id)}${key === null ? "" : ` (${printable(key)})`} ${SENTENCES[result]}`;
}
