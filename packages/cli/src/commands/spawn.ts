import {
  assertAccepts,
  type BootstrapConfig,
  type BootstrapScript,
  type Capability,
  canListOfferings,
  type Instance,
  isProviderError,
  nameFor,
  type Provider,
  type SpawnOptions,
} from "@slipway/core";
import { linesOf, showingLines, waitForBootstrapOf } from "../bootstrap.ts";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty, wholeNumber } from "../command.ts";
import { instanceFields, listCommand, priceOf, terminateCommand } from "../instance-view.ts";
import { oneProvider } from "../locate.ts";
import { printable, shellCommand } from "../printable.ts";
import type { Session } from "../session.ts";
import { addBudgetOption, addSpawnOptions, type SpawnFlags } from "../spawn-flags.ts";
import { noteExpiry, placementsFor, type SpawnRequest, spawnRequest, withExpiry } from "../spawn-request.ts";
import { budgetFor } from "../spent.ts";
import { identityFor, WayIn } from "../way-in.ts";

interface Flags extends SpawnFlags {
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly count?: number;
  readonly minimum?: number;
  readonly identity?: string;
}

export const configure: Configure = (command, run) => {
  command
    .option("--dry-run", "show what would be sent, check it, and call nothing")
    .option("--any", "on whichever provider is cheapest now; with --dry-run shows the places in order")
    .option("--count <number>", "with --any: so many machines, with the keys <key>-1, <key>-2, …", wholeNumber)
    .option("--minimum <number>", "with --count: how many are enough; else none is kept", wholeNumber)
    .option("--wait", "wait until it runs and its bootstrap has succeeded; shows what the bootstrap prints")
    .option(
      "-i, --identity <file>",
      "a private key with which --wait looks inside (default: that of --ssh-key)",
      notEmpty,
    );
  addBudgetOption(addSpawnOptions(command)).addHelpText(
    "after",
    `
Examples:
  slipway spawn --key web-1 --bootstrap setup.sh --wait
  slipway spawn --key train-7 --provider lambda --spec gpu_1x_a10 --ttl 4h --max-usd-per-hour 1.50
  slipway spawn --any --gpu a100 --max-usd-per-hour 2 --ttl 4h
  slipway spawn --any --gpu a100 --count 8 --minimum 5 --key train --ttl 4h
  printf 'echo hello' | slipway spawn --bootstrap - --env-file .env --json

A value of --env stands in this command's own line, where every user of this machine can see it while it runs
(ps, /proc). Give secrets by --env-file.`,
  );
  run<Flags>(command, spawn);
};

async function spawn(session: Session, _args: readonly string[], flags: Flags): Promise<void> {
  const request = await spawnRequest(session, flags);
  if (flags.wait === true) await identityFor(session, flags); // A wrong path must not cost a machine.
  if (flags.count !== undefined || flags.minimum !== undefined) return spawnSeveral(session, request, flags);
  if (flags.any === true) return spawnAnywhere(session, request, flags);
  const { provider, registration } = await oneProvider(session);
  if (flags.dryRun === true) return preview(session, provider, request, flags);

  session.context.key = request.key;
  session.context.look = listCommand(provider.name, request.key, await session.providers.defaultName());
  const launched = await launchIt(session, { provider, exact: registration.provider }, request, flags);
  await showLaunched(session, { provider, exact: registration.provider }, launched, request, flags);
}

async function spawnAnywhere(session: Session, request: SpawnRequest, flags: Flags): Promise<void> {
  const { launchCheapest, needOf, previewAnywhere } = await import("../anywhere.ts");
  const need = needOf(request, flags);
  if (flags.dryRun === true) {
    await previewAnywhere(session, need);
    return;
  }
  session.context.key = request.key;
  session.context.look = shellCommand(["slipway", "list", "--key", request.key]);
  const { instance, provider } = await launchCheapest(session, need, flags);
  const { provider: projected } = await session.providers.load(provider.name);
  noteExpiry(session, projected, instance.expiresAt);
  await showLaunched(session, { provider: projected, exact: provider }, instance, request, flags);
}

async function spawnSeveral(session: Session, request: SpawnRequest, flags: Flags): Promise<void> {
  const { any = false, count, minimum = count, wait = false } = flags;
  if (!any || count === undefined || minimum === undefined || minimum > count || wait) {
    const wrong = wait ? "--wait waits for one machine" : "--count and --minimum need --any and each other";
    throw new CliError("INVALID_ARGUMENT", wrong, "As: slipway spawn --any --gpu a100 --count 8 --minimum 5");
  }
  const { needOf } = await import("../anywhere.ts");
  const { previewSpread, spreadCheapest } = await import("../spread.ts");
  const need = needOf(request, flags);
  if (flags.dryRun === true) return previewSpread(session, need, { count, minimum });
  session.context.key = request.key;
  await spreadCheapest(session, need, { count, minimum, flags });
}

async function showLaunched(
  session: Session,
  { provider, exact }: Target,
  launched: Instance,
  request: SpawnRequest,
  flags: Flags,
): Promise<void> {
  session.context.id = launched.id;
  try {
    const instance = flags.wait === true ? await waitFor(session, provider, launched, request, flags) : launched;
    await show(session, instance, exact);
  } catch (error) {
    // It runs, whatever went wrong after: the user must not be left without the way to end it.
    session.progress.stop();
    const rest = await lastLine(session, launched, exact);
    session.output.note(`${printable(launched.id)} is there all the same. ${rest}`);
    throw error;
  }
}

// Another command that launches the same key is done soon, and then this one answers its instance.
const LEASE_PATIENCE_MS = 120_000;

interface Target {
  readonly provider: Provider;
  /** As its package made it: it may tell placements. */
  readonly exact: Provider | undefined;
}

async function launchIt(
  session: Session,
  { provider, exact = provider }: Target,
  request: SpawnRequest,
  flags: Flags,
): Promise<Instance> {
  // Before anything is written or asked: where the provider lacks a capability, the user is told why.
  assertAccepts(provider, request);
  const { launch } = await import("@slipway/control");
  const options: SpawnOptions<Capability> = {
    ...(await withExpiry(session, provider, request, flags)),
    ...session.call,
  };
  assertAccepts(provider, options);
  noteExpiry(session, provider, options.expiresAt);
  const store = await session.store();
  const budget = await budgetFor(session, exact, request, flags.maxUsdPerDay);
  return session.progress.during(`launching ${request.key} on ${provider.name}`, async () =>
    launch(provider, options, {
      store,
      placements: request.region === undefined ? await placementsFor(provider, exact, options) : undefined,
      clock: session.world.clock,
      onEvent: session.onEvent,
      leaseTimeoutMs: LEASE_PATIENCE_MS,
      budget,
    }),
  );
}

async function waitFor(
  session: Session,
  provider: Provider,
  instance: Instance,
  request: SpawnRequest,
  flags: Flags,
): Promise<Instance> {
  const { waitForStatus } = await import("@slipway/control");
  const options = { ...session.call, clock: session.world.clock, onEvent: session.onEvent };
  const running = await session.progress.during(`waiting for ${request.key} to run`, () =>
    waitForStatus(provider, instance.id, "running", options),
  );
  if (request.bootstrap === undefined) return running;
  const { clock } = session.world;
  const way = new WayIn(session, provider, instance.id, await identityFor(session, flags));
  try {
    // The lines are the bootstrap's: its result is this command's own.
    const show = (line: string): void => {
      session.progress.clear();
      session.output.note(`${request.key}: ${line}`);
    };
    const lines = session.json ? null : linesOf(provider, instance.id, way, clock);
    return await session.progress.during(`waiting for the bootstrap of ${request.key}`, () =>
      showingLines(lines, clock, show, () => waitForBootstrapOf(session, provider, instance.id, way)),
    );
  } catch (error) {
    if (!isProviderError(error, "UNSUPPORTED")) throw error;
    session.output.note(`Provider ${provider.name} does not report bootstrap status.`);
    return running;
  } finally {
    await way.close();
  }
}

async function show(session: Session, instance: Instance, exact: Provider | undefined): Promise<void> {
  const { output, world } = session;
  if (session.json) return output.document(instance);
  output.fields(instanceFields(instance, world.clock).filter(([name]) => name !== "price"));
  output.text(await lastLine(session, instance, exact));
}

/** The price and the exact command that ends it. */
async function lastLine(session: Session, instance: Instance, exact: Provider | undefined): Promise<string> {
  const command = terminateCommand(instance, await session.providers.defaultName());
  const price = instance.price ?? (await offeredPrice(session, instance, exact));
  return `price: ${printable(priceOf(price === undefined ? {} : { price }))}; to end it: ${command}`;
}

// The instance is there: nobody waits long for what it costs.
const PRICE_MS = 15_000;

/** What `slipway prices` says of its machine type, where the instance itself has no price. */
async function offeredPrice(
  session: Session,
  { spec, isSpot, region }: Instance,
  exact: Provider | undefined,
): Promise<Instance["price"]> {
  // The price of an offering is that of an instance on demand.
  if (session.json || isSpot || spec === undefined || exact === undefined || !canListOfferings(exact)) return undefined;
  try {
    const offerings = await exact.listOfferings({ signal: session.world.signal, timeoutMs: PRICE_MS });
    const same = offerings.filter((one) => one.spec === spec && one.price !== undefined);
    // A type that is sold in several regions may be listed once for each.
    const here = same.find(({ regions }) => region !== undefined && regions?.includes(region) === true);
    return (here ?? (same.length === 1 ? same[0] : undefined))?.price;
  } catch {
    // Not known, as the line then says; the launch itself has succeeded.
    return undefined;
  }
}

const REDACTED = "[redacted]";

/** `--dry-run`: makes every check that is made before a call, shows what would be sent, and sends nothing. */
export async function preview(
  session: Session,
  provider: Provider,
  request: SpawnRequest,
  flags: SpawnFlags,
): Promise<void> {
  await refuseAsSpawnWould(provider, request);
  const { bootstrap, key, ...options } = request;
  const rendered = bootstrap === undefined ? undefined : renderedBy(provider, bootstrap);
  const document = {
    dryRun: true,
    provider: provider.name,
    owner: provider.owner,
    key: flags.key ?? "a new UUID",
    ...(flags.key === undefined ? {} : { name: nameFor(provider.owner, key) }),
    options: {
      ...withoutSecrets(options),
      ...(flags.ttl === undefined ? {} : { expiresAt: `${flags.ttl} ms after the launch` }),
    },
    ...(rendered === undefined ? {} : { bootstrap: bootstrapShown(rendered, bootstrap) }),
  };
  if (session.json) return session.output.document(document);
  session.output.text(JSON.stringify(document, null, 2));
  session.output.note("Nothing was sent.");
}

/** A spawn that is aborted from the start: the contract checks its options, and then refuses to send anything. */
async function refuseAsSpawnWould(provider: Provider, request: SpawnRequest): Promise<void> {
  const signal = AbortSignal.abort(new DOMException("a dry run sends nothing", "AbortError"));
  const options: SpawnOptions<Capability> = { ...request, signal };
  assertAccepts(provider, options);
  try {
    await provider.spawn(options);
  } catch (error) {
    if (!isProviderError(error, "CANCELLED")) throw error;
  }
}

function renderedBy(provider: Provider, bootstrap: BootstrapConfig | BootstrapScript): BootstrapScript {
  return "content" in bootstrap ? bootstrap : provider.generateBootstrap(bootstrap);
}

function bootstrapShown({ format, byteLength, checksum }: BootstrapScript, source: SpawnRequest["bootstrap"]): object {
  const rendered = { format, byteLength, checksum };
  if (source === undefined || "content" in source) return rendered;
  const { environment, files, features, controlPlaneUrl, registrationToken } = source;
  return {
    ...rendered,
    ...(environment === undefined
      ? {}
      : { environment: Object.fromEntries(Object.keys(environment).map((name) => [name, REDACTED])) }),
    ...(files === undefined
      ? {}
      : { files: files.map(({ path, content, mode }) => ({ path, mode, byteLength: Buffer.byteLength(content) })) }),
    ...(features === undefined ? {} : { features }),
    ...(controlPlaneUrl === undefined ? {} : { controlPlaneUrl }),
    ...(registrationToken === undefined ? {} : { registrationToken: REDACTED }),
  };
}

function withoutSecrets(options: Omit<SpawnRequest, "bootstrap" | "key">): object {
  const { tailscale } = options;
  return tailscale === undefined ? options : { ...options, tailscale: { ...tailscale, authKey: REDACTED } };
}
