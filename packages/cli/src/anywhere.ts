import type { AnywhereLaunch, AnywhereOptions, Place, Places, Unfit } from "@slipway/control";
import type { Provider } from "@slipway/core";
import { CliError } from "./cli-error.ts";
import { classify } from "./error-report.ts";
import { resourcesOf } from "./instance-view.ts";
import { providersInScope } from "./locate.ts";
import type { Column } from "./output.ts";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";
import type { SpawnRequest } from "./spawn-request.ts";
import { usd } from "./spent.ts";

/** What `--any` chooses itself, and what only some providers have. */
const NOT_ANYWHERE = [
  "spec",
  "image",
  "disk",
  "fromSnapshot",
  "volume",
  "warmVolume",
  "hibernation",
  "tailscaleAuthKeyFile",
  "network",
  "subnet",
  "firewall",
  "isolated",
] as const satisfies readonly (keyof SpawnFlags)[];

/** The need that the flags state. */
export function needOf(request: SpawnRequest, flags: SpawnFlags): AnywhereOptions {
  const wrong = NOT_ANYWHERE.find((name) => flags[name] !== undefined);
  if (wrong !== undefined) {
    const flag = wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new CliError("INVALID_ARGUMENT", `--${flag} is one provider's own, and --any chooses among all`);
  }
  const { key, name, bootstrap, ports, sshKeys, labels, resources, gpu, region, spot } = request;
  if (gpu === undefined && resources === undefined) {
    throw new CliError("MISSING_ARGUMENT", "--any needs to know what for", "Add --gpu, --cpus or --memory.");
  }
  const maxUsdPerHour = spot?.maxUsdPerHour ?? request.maxUsdPerHour;
  return {
    ...{ key, name, bootstrap, ports, sshKeys, labels, gpu, maxUsdPerHour },
    ...{ cpus: resources?.cpus, memoryBytes: resources?.memoryBytes },
    regions: region === undefined ? undefined : [region],
    spot: spot === undefined ? undefined : true,
  };
}

/** As their packages made them: they may tell what they sell. */
export interface Shops {
  readonly providers: readonly Provider[];
  readonly unfit: readonly Unfit[];
}

export async function shops(session: Session): Promise<Shops> {
  const providers: Provider[] = [];
  const unfit: Unfit[] = [];
  for (const name of await providersInScope(session)) {
    try {
      const { provider, registration } = await session.providers.load(name);
      providers.push(registration.provider ?? provider);
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      unfit.push({ provider: name, reason: classify(error).message });
    }
  }
  return { providers, unfit };
}

/** Where it could run, in the order in which the places are tried. Launches nothing. */
export async function placesFor(session: Session, need: AnywhereOptions): Promise<Places> {
  const { findPlaces } = await import("@slipway/control");
  const { providers, unfit } = await shops(session);
  const found = await session.progress.during("asking for machine types and prices", () =>
    findPlaces(providers, need, session.call),
  );
  return { places: found.places, unfit: [...unfit, ...found.unfit] };
}

const COLUMNS: readonly Column<Place>[] = [
  { title: "PROVIDER", text: (one) => one.provider },
  { title: "SPEC", text: (one) => one.spec },
  { title: "REGION", text: (one) => one.region ?? "" },
  { title: "RESOURCES", text: (one) => resourcesOf(one) ?? "" },
  { title: "$/H", text: (one) => (one.price === undefined ? "not known" : usd(one.price.usdPerHour)) },
  { title: "SOURCE", text: (one) => one.price?.source ?? "" },
  { title: "AS OF", text: (one) => one.price?.asOf ?? "" },
];

/** `--any --dry-run`: the places in order with price and source, and why the others are none. */
export async function previewAnywhere(session: Session, need: AnywhereOptions): Promise<readonly Place[]> {
  const found = await placesFor(session, need);
  if (session.json) {
    session.output.document({ dryRun: true, ...found });
    return found.places;
  }
  session.output.list(found.places, COLUMNS, "No provider offers this now.");
  for (const { provider, spec, reason } of found.unfit) {
    session.output.note(`left out: ${spec === undefined ? provider : `${provider}/${spec}`}: ${reason}`);
  }
  session.output.note("Nothing was sent.");
  return found.places;
}

// Another command that launches the same key is done soon, and then this one answers its instance.
const LEASE_PATIENCE_MS = 120_000;

/** When something with this `--ttl` expires. A repeated launch anywhere keeps the first call's time by itself. */
export function expiryAfter(session: Session, ttl: number | undefined): string | undefined {
  if (ttl === undefined) return undefined;
  return new Date(Math.ceil((session.world.clock.now() + ttl) / 1000) * 1000).toISOString();
}

export async function launchCheapest(
  session: Session,
  need: AnywhereOptions,
  { ttl, maxUsdPerDay }: SpawnFlags,
): Promise<AnywhereLaunch> {
  const { launchAnywhere } = await import("@slipway/control");
  const { providers, unfit } = await shops(session);
  for (const { provider, reason } of unfit) session.output.note(`left out: ${provider}: ${reason}`);
  const expiresAt = expiryAfter(session, ttl);
  const store = await session.store();
  const { clock } = session.world;
  const control = { store, clock, onEvent: session.onEvent, leaseTimeoutMs: LEASE_PATIENCE_MS, maxUsdPerDay };
  const made = await session.progress.during(`launching ${need.key} where it is cheapest`, () =>
    launchAnywhere(providers, { ...need, expiresAt, ...session.call }, control),
  );
  for (const { place, code } of made.tried)
    session.output.note(`${place.provider}/${place.spec} failed with ${code}, and nothing was launched there.`);
  return made;
}
