import type { AnywhereOptions, Place, SpreadLaunch } from "@slipway/control";
import { expiryAfter, placesFor, previewAnywhere, shops } from "./anywhere.ts";
import type { Column } from "./output.ts";
import { printable, shellCommand } from "./printable.ts";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";
import { usd } from "./spent.ts";

interface HowMany {
  readonly count: number;
  readonly minimum: number;
}

const COLUMNS: readonly Column<SpreadLaunch>[] = [
  { title: "KEY", text: (one) => one.key },
  { title: "PROVIDER", text: (one) => one.provider },
  { title: "ID", text: (one) => one.instanceId },
];

/** `--any --count --dry-run`: the places in order, and what so many cost at least and at most. */
export async function previewSpread(
  session: Session,
  need: AnywhereOptions,
  { count, minimum }: HowMany,
): Promise<void> {
  if (session.json) {
    session.output.document({ dryRun: true, count, minimum, ...(await placesFor(session, need)) });
    return;
  }
  const found = await previewAnywhere(session, need);
  session.output.note(`${count} machines, at least ${minimum}. ${spanOf(found, count)}`);
}

/** Capacity is not known: the cheapest place may have all of them, or only the dearest one. */
function spanOf(places: readonly Place[], count: number): string {
  const prices = places.map(({ price }) => price?.usdPerHour);
  const known = prices.filter((price) => price !== undefined);
  if (known.length === 0) return "What they cost is not known.";
  const least = usd(Math.min(...known) * count);
  if (known.length < prices.length) return `They cost $${least} per hour or more: not every price is known.`;
  return `They cost $${least} to $${usd(Math.max(...known) * count)} per hour.`;
}

export async function spreadCheapest(
  session: Session,
  need: AnywhereOptions,
  { count, minimum, flags }: HowMany & { readonly flags: SpawnFlags },
): Promise<void> {
  const { spread } = await import("@slipway/control");
  const { providers, unfit } = await shops(session);
  for (const { provider, reason } of unfit) session.output.note(`left out: ${provider}: ${reason}`);
  const store = await session.store();
  const { clock } = session.world;
  const options = { ...need, count, minimum, expiresAt: expiryAfter(session, flags.ttl), ...session.call };
  const made = await session.progress.during(`launching ${count} machines where they are cheapest`, () =>
    spread(providers, options, { store, clock, onEvent: session.onEvent, maxUsdPerDay: flags.maxUsdPerDay }),
  );
  if (session.json) return session.output.document(made);
  session.output.list(made.members, COLUMNS, "");
  if (made.missing.length > 0) {
    session.output.note(`${made.missing.length} of ${count} are missing: no place has capacity for them now.`);
  }
  for (const { provider, instanceId } of made.members) {
    const command = shellCommand(["slipway", "terminate", "--provider", provider, "--", instanceId]);
    session.output.note(`To end it: ${printable(command)}`);
  }
}
