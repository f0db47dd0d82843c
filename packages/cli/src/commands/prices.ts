import {
  assertAccepts,
  type Capability,
  type Cost,
  canListOfferings,
  type Offering,
  type SpawnOptions,
  type SpotPrice,
} from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, oneOf, several } from "../command.ts";
import { listCommand, resourcesOf } from "../instance-view.ts";
import { oneProvider, supporting } from "../locate.ts";
import type { Column } from "../output.ts";
import type { Session } from "../session.ts";
import { addSpawnOptions, type SpawnFlags } from "../spawn-flags.ts";
import { spawnRequest, withExpiry } from "../spawn-request.ts";
import { usd } from "../spent.ts";

interface Flags {
  readonly spec?: readonly string[];
  readonly region?: readonly string[];
  readonly spot?: boolean;
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

export const configurePrices: Configure = (command, run) => {
  command
    .option("--spec <name>", "only this machine type; several times", several)
    .option("--region <name>", "only what this region has; several times", several)
    .option("--spot", "what spot instances cost now, where the provider has on-demand prices too")
    .option("--spent", "what your instances have cost, instead of what one costs now")
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
  if (flags.spent === true) return showCosts(session, flags);
  if (flags.spot === true) return showPrices(session, args, flags);
  const { provider, registration } = await oneProvider(session);
  const exact = registration.provider;
  if (exact !== undefined && canListOfferings(exact)) {
    const offerings = await session.progress.during("asking for prices", () => exact.listOfferings(session.call));
    session.output.list(chosen(offerings, flags), offeringColumns, "No such machine types.");
    return;
  }
  if (provider.capabilities.spot) return showPrices(session, args, flags);
  throw new CliError("UNSUPPORTED", `provider ${provider.name} reports no prices before an instance runs`);
}

/** Where a remote does not tell its regions, a machine type may be in any. */
function chosen(offerings: readonly Offering[], { spec, region }: Flags): readonly Offering[] {
  return offerings.filter(
    (one) =>
      (spec?.includes(one.spec) ?? true) &&
      (region === undefined || one.regions === undefined || one.regions.some((name) => region.includes(name))),
  );
}

async function showCosts(session: Session, flags: Flags): Promise<void> {
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

interface PriceFlags {
  readonly spec?: readonly string[];
  readonly region?: readonly string[];
}

export const configureSpot: Configure = (command, run) => {
  const requests = addSpawnOptions(
    command.command("request").description("ask for a spot instance; it may come later"),
  );
  requests.addHelpText(
    "after",
    "\nAn instance that it makes is shown by `slipway list --provider <name> --key <key>`, and ended as every other.\n",
  );
  run<SpawnFlags>(requests, request);
  run(
    command
      .command("cancel")
      .description("end a request, and an instance that it made")
      .argument("<request-id>", "what `spot request` answered"),
    cancel,
  );
  const prices = command
    .command("prices")
    .description("what spot instances cost now")
    .option("--spec <name>", "only this machine type; several times", several)
    .option("--region <name>", "only this region; several times", several);
  run<PriceFlags>(prices, showPrices);
};

async function request(session: Session, _args: readonly string[], flags: SpawnFlags): Promise<void> {
  const wanted = await spawnRequest(session, flags);
  const provider = await supporting(session, "spot");
  assertAccepts(provider, wanted);
  session.context.key = wanted.key;
  // No launch is remembered of a request: without its provider's name `list` might not ask where it is.
  const look = listCommand(provider.name, wanted.key, await session.providers.defaultName());
  session.context.look = look;
  const options: SpawnOptions<Capability> = {
    ...(await withExpiry(session, provider, wanted, flags)),
    ...session.call,
  };
  assertAccepts(provider, options);
  if (options.expiresAt !== undefined) {
    const after = "Run `slipway reap` after that time, or it goes on running and costing money.";
    session.output.note(`It expires at ${options.expiresAt}. Nothing terminates it by itself. ${after}`);
  }
  const answer = await session.progress.during("asking for a spot instance", () =>
    provider.requestSpotInstance(options),
  );
  if (session.json) return session.output.document({ key: wanted.key, ...answer });
  session.output.fields([
    ["request", answer.requestId],
    ["status", answer.status],
    ["instance", answer.instanceId ?? "not yet"],
    ["key", wanted.key],
    ["look", look],
  ]);
}

async function cancel(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const provider = await supporting(session, "spot");
  await provider.cancelSpotRequest(id, session.call);
  if (session.json) session.output.document({ requestId: id, result: "cancelled" });
  else session.output.text(`${id} is cancelled`);
}

/** Also what `slipway prices` shows. */
export async function showPrices(
  session: Session,
  _args: readonly string[],
  { spec, region }: PriceFlags,
): Promise<void> {
  const provider = await supporting(session, "spot");
  const prices = await session.progress.during("asking for prices", () =>
    provider.getSpotPrices({ specs: spec, regions: region }, session.call),
  );
  const cheapestFirst = [...prices].sort((a, b) => a.usdPerHour - b.usdPerHour);
  session.output.list(cheapestFirst, spotPriceColumns, "No prices.");
}

const offeringColumns: readonly Column<Offering>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "RESOURCES", text: (one) => resourcesOf(one) ?? "" },
  { title: "$/H", text: (one) => (one.price === undefined ? "not known" : usd(one.price.usdPerHour)) },
  { title: "AVAILABLE IN", text: availability, tone: (one) => (one.regions?.length === 0 ? "quiet" : undefined) },
  { title: "SOURCE", text: (one) => one.price?.source ?? "" },
  { title: "AS OF", text: (one) => one.price?.asOf ?? "" },
];

function availability({ regions }: Offering): string {
  if (regions === undefined) return "not known";
  return regions.length === 0 ? "sold out" : regions.join(", ");
}

const spotPriceColumns: readonly Column<SpotPrice>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "PLACE", text: (one) => one.zone ?? one.region },
  { title: "$/H", text: (one) => usd(one.usdPerHour) },
  { title: "SOURCE", text: (one) => one.source },
  { title: "AS OF", text: (one) => one.asOf },
];
