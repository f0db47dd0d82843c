import { isStoreError, type TriedPlace } from "@slipway/control";
import {
  assertAccepts,
  canExec,
  deadline,
  type Instance,
  isProviderError,
  type Provider,
  type ProviderError,
} from "@slipway/core";
import type { Session as InstanceSession, SshAccess } from "@slipway/reach";
import { forgetKey } from "../account-keys.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { type Configure, notEmpty, several } from "../command.ts";
import { forgetLaunch } from "../expiry.ts";
import { checkReadable, inputPath } from "../files.ts";
import { terminateCommand } from "../instance-view.ts";
import { oneProvider } from "../locate.ts";
import { shellCommand } from "../printable.ts";
import type { LoadedProvider } from "../providers.ts";
import { type RunFiles, RunInterrupts, refuseOutside, runInside } from "../run-inside.ts";
import { makeRunKey } from "../run-key.ts";
import type { Session } from "../session.ts";
import { addBudgetOption, addSpawnOptions, type SpawnFlags } from "../spawn-flags.ts";
import { placementsFor, type SpawnRequest, spawnRequest, withExpiry } from "../spawn-request.ts";
import { budgetFor, noteSpent } from "../spent.ts";

interface Flags extends SpawnFlags, RunFiles {
  readonly identity?: string;
}

const DEFAULT_TTL_MS = 86_400_000;

export const configure: Configure = (command, run) => {
  command
    .argument("<command...>", "the program and its arguments; no shell reads them")
    .option("--any", "on whichever provider is cheapest now")
    .option("-i, --identity <file>", "the private key to log in with (default: a new one for this run)", notEmpty)
    .option("--upload <path>", "a file, or a directory's content, that the command finds where it runs", notEmpty)
    .option("--download <path>", "what the command wrote there, copied to the same path here; several times", several);
  addBudgetOption(addSpawnOptions(command)).addHelpText(
    "after",
    `
Examples:
  slipway run -- uname -a
  slipway run --upload . --download out -- make
  slipway run --provider lambda --spec gpu_1x_a10 --bootstrap setup.sh --max-usd-per-hour 1.50 -- python3 train.py
  slipway run --any --gpu a100 --max-usd-per-hour 2 -- nvidia-smi

The exit code is the command's own; 125 is slipway's. What the command prints comes on stdout as it is printed.
The instance is terminated whatever happens. The first Ctrl-C ends the command, the second one terminates the instance
at once, the third one quits. If this process is killed, \`slipway reap\` terminates the instance after its
--ttl (a day, if it is not given).
`,
  );
  run<Flags>(command, runIt);
};

async function runIt(session: Session, argv: readonly string[], flags: Flags): Promise<number> {
  const request = await spawnRequest(session, flags);
  refuseOutside(flags.download);
  if (flags.upload !== undefined) await checkReadable(inputPath(session.world, flags.upload), "the path of --upload");
  if (flags.any === true) return runAnywhere(session, argv, request, flags);
  const exitCode = await runOn(session, await oneProvider(session), { argv, request, flags });
  return exitCode ?? EXIT.notTheCommand;
}

/** One place after the other, cheapest first, as long as each is known to have made nothing. */
async function runAnywhere(
  session: Session,
  argv: readonly string[],
  request: SpawnRequest,
  flags: Flags,
): Promise<number> {
  const { needOf, placesFor } = await import("../anywhere.ts");
  const { AnywhereRefusal, requestAt } = await import("@slipway/control");
  const need = needOf(request, flags);
  const { places, unfit } = await placesFor(session, need);
  // One instance per key over all of them, as of `spawn --any`: also where this run would come only later, or never.
  for (const name of new Set(places.map(({ provider }) => provider))) {
    await refuseTakenKey(session, (await session.providers.load(name)).provider, flags);
  }
  const tried: TriedPlace[] = [];
  for (const place of places) {
    const loaded = await session.providers.load(place.provider);
    const here: SpawnRequest = { ...requestAt(need, loaded.provider, place), key: request.key };
    const madeNothing = ({ code, message: reason }: ProviderError): void => {
      session.output.note(`${place.provider}/${place.spec} failed with ${code}, and nothing was launched there.`);
      tried.push({ place, code, reason });
    };
    const exitCode = await runOn(session, loaded, { argv, request: here, flags }, madeNothing);
    if (exitCode !== null) return exitCode;
  }
  throw new AnywhereRefusal(request.key, tried, unfit);
}

/** The exit code; null where the launch made nothing, and `madeNothing` was told why. */
async function runOn(
  session: Session,
  loaded: LoadedProvider,
  { argv, request, flags }: Pick<Run, "argv" | "request" | "flags">,
  madeNothing?: (error: ProviderError) => void,
): Promise<number | null> {
  const { provider, registration } = loaded;
  assertAccepts(provider, request);
  const isDefault = provider.name === (await session.providers.defaultName());
  const named = isDefault ? [] : ["--provider", provider.name];
  session.context.key = request.key;
  session.context.look = shellCommand(["slipway", "list", ...named, "--key", request.key]);
  const howToEnd = shellCommand(["slipway", "terminate", ...named, request.key]);
  await refuseTakenKey(session, provider, flags);
  const interrupts = new RunInterrupts(session, howToEnd);
  try {
    const exact = registration.provider ?? provider;
    const run = { session, provider, exact, loaded, request, argv, flags, interrupts };
    const exitCode = await session.progress.during(`launching ${request.key} on ${provider.name}`, () =>
      onInstance(run),
    );
    if (session.json) session.output.line({ type: "end", id: session.context.id, key: request.key, exitCode });
    return exitCode;
  } catch (error) {
    if (madeNothing !== undefined && session.context.id === undefined && !interrupts.happened && isRefusal(error)) {
      madeNothing(error);
      return null;
    }
    // Without an AggregateError it is confirmed that nothing is left.
    if (interrupts.happened && isProviderError(error, "CANCELLED")) {
      session.progress.stop();
      session.output.note("Interrupted: the instance was terminated.");
      return EXIT.interrupted;
    }
    for (const one of error instanceof AggregateError ? error.errors : [error]) session.report(one);
    if (error instanceof AggregateError) {
      session.output.note(`The instance may be left running. To end it: ${howToEnd}`);
    } else if (isStoreError(error, "NOT_HELD")) {
      // What runs under the key may be another process's: whoever ends it has to look first.
      session.output.note(`An instance may be left running. To see it: ${session.context.look}`);
    }
    return interrupts.happened ? EXIT.interrupted : EXIT.notTheCommand;
  } finally {
    interrupts.release();
  }
}

/** A launch that made nothing, for a reason that another place may not have. */
function isRefusal(error: unknown): error is ProviderError {
  if (!isProviderError(error) || error.effect !== "none" || !["spawn", "launch"].includes(error.operation))
    return false;
  return !["CONFLICT", "CANCELLED", "BUSY"].includes(error.code);
}

interface Run {
  readonly session: Session;
  readonly provider: Provider;
  /** As its package made it: it may tell placements. */
  readonly exact: Provider;
  readonly loaded: LoadedProvider;
  readonly request: SpawnRequest;
  readonly argv: readonly string[];
  readonly flags: Flags;
  readonly interrupts: RunInterrupts;
}

async function onInstance(run: Run): Promise<number> {
  const { session, provider, exact, request, flags, interrupts } = run;
  const { withInstance } = await import("@slipway/reach");
  const { clock } = session.world;
  const limit = deadline(clock, session.call.timeoutMs, interrupts.signal);
  try {
    const options = await withExpiry(session, provider, request, { ttl: flags.ttl ?? DEFAULT_TTL_MS });
    assertAccepts(provider, options);
    const control = {
      store: await session.store(),
      budget: await budgetFor(session, exact, request, flags.maxUsdPerDay),
      placements: request.region === undefined ? await placementsFor(provider, exact, options) : undefined,
      ...{ clock, signal: limit.signal, onEvent: session.onEvent },
    };
    let made: Pick<Instance, "id"> | undefined;
    let ran: Instance | undefined;
    const seen = { done: false };
    const body = async (inside: InstanceSession, instance: Instance): Promise<number> => {
      made = instance;
      ran = instance;
      session.context.id = instance.id;
      const exitCode = await runInside(run, inside, limit.signal);
      seen.done = true;
      return exitCode;
    };
    try {
      return canExec(provider)
        ? await withInstance(provider, options, control, body)
        : await withKey(run, (access) => withInstance(provider, options, { ...control, access }, body));
    } catch (error) {
      made ??= waitedFor(error);
      // After work that succeeded, it is the end of the instance that failed.
      const left =
        seen.done && !(error instanceof AggregateError)
          ? new AggregateError([error], "the command ended, and its instance could not be confirmed gone")
          : error;
      // Then it may be there: `reconcile` must not forget it.
      if (left instanceof AggregateError) made = undefined;
      throw left;
    } finally {
      // Its end is confirmed, or told of: what it costs after that is not this command's to say.
      if (ran !== undefined) noteSpent(session, ran);
      if (made !== undefined) await forgetLaunch(session, provider, request.key, made.id);
    }
  } finally {
    limit.release();
  }
}

/** The instance of a wait that failed: it was launched, and is confirmed gone. */
function waitedFor(error: unknown): Pick<Instance, "id"> | undefined {
  if (!isProviderError(error) || !error.operation.startsWith("waitFor")) return undefined;
  const id = error.native?.id;
  return id === undefined ? undefined : { id };
}

/** `run` terminates what it finds under its key: another command's instance must not be that. */
async function refuseTakenKey(session: Session, provider: Provider, { key }: Flags): Promise<void> {
  if (key === undefined) return;
  const [taken] = await provider.list({ keys: [key] }, session.call);
  if (taken === undefined) return;
  throw new CliError(
    "KEY_IN_USE",
    `the key ${JSON.stringify(key)} has the instance ${taken.id}, and a run terminates its instance`,
    `Leave --key out, or terminate it first: ${terminateCommand(taken, await session.providers.defaultName())}`,
  );
}

async function withKey<T>(run: Run, act: (access: SshAccess) => Promise<T>): Promise<T> {
  const { session, flags, loaded } = run;
  if (flags.identity !== undefined) return await act({ identityFile: inputPath(session.world, flags.identity) });
  await using fresh = await makeRunKey();
  try {
    return await act({ identityFile: fresh.identityFile });
  } finally {
    await forgetKey(session, loaded, fresh.identityFile);
  }
}
