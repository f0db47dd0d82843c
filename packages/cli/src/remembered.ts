import type { LaunchRecord } from "@slipway/control";
import { supports } from "@slipway/core";
import { CliError, type SerializedCliError } from "./cli-error.ts";
import { classify, isStoreFailure } from "./error-report.ts";
import type { LoadedProvider } from "./providers.ts";
import type { Session } from "./session.ts";

/** One launch as an error names it. */
export interface NamedLaunch {
  readonly provider: string;
  readonly key: string;
  /** Null: the launch was begun, and nobody saw the answer. */
  readonly id: string | null;
  readonly region: string | null;
}

/** Launches that are remembered here, and whose provider cannot be asked from here. */
export class UnreachableLaunches extends CliError {
  readonly launches: readonly NamedLaunch[];

  constructor(message: string, hint: string, records: readonly LaunchRecord[], cause?: unknown) {
    super("UNREACHABLE_LAUNCH", `${message}: ${records.map(describe).join(", ")}`, hint, cause);
    this.launches = records.map((record) => ({
      provider: record.identity.provider,
      key: record.identity.key,
      id: record.instanceId ?? null,
      region: regionOf(record) ?? null,
    }));
  }

  override toJSON(): SerializedCliError & { readonly launches: readonly NamedLaunch[] } {
    return { ...super.toJSON(), launches: this.launches };
  }
}

/** Launches that may have an instance, of every owner and provider. */
export interface Remembered {
  readonly launches: readonly LaunchRecord[];
  /** The error that names what cannot be read; undefined if these are all. */
  readonly unread: Error | undefined;
}

/** What cannot be read does not hide the others. */
export async function rememberedLaunches(session: Session): Promise<Remembered> {
  const launches: LaunchRecord[] = [];
  const filter = { kind: "launch", states: ["intended", "launched"] } as const;
  const store = await session.store();
  try {
    for await (const { record } of store.entries(filter)) if (record.kind === "launch") launches.push(record);
  } catch (unread) {
    if (isStoreFailure(unread)) return { launches, unread };
    throw unread;
  }
  return { launches, unread: undefined };
}

/** Does the word mean this launch: is it the instance's id, or the key? */
export function isMeant(record: LaunchRecord, word: string): boolean {
  return record.instanceId === word || record.identity.key === word;
}

/**
 * One error for each provider that cannot be loaded here, and for each that is not configured for a launch's region: what
 * runs there is not seen, and so nobody may say that it is gone. With a named provider only launches on that one count.
 */
export async function unreachable(
  session: Session,
  records: readonly LaunchRecord[],
): Promise<readonly UnreachableLaunches[]> {
  const named = session.namedProvider;
  const byProvider = Map.groupBy(records, ({ identity }) => identity.provider);
  const errors: UnreachableLaunches[] = [];
  for (const [name, launches] of byProvider) {
    let loaded: LoadedProvider;
    try {
      if (named !== undefined && (await session.providers.load(named)).provider.name !== name) continue;
      loaded = await session.providers.load(name);
    } catch (error) {
      errors.push(notLoaded(session, name, launches, error));
      continue;
    }
    errors.push(...(await outsideRegions(session, loaded, launches)));
  }
  return errors;
}

async function outsideRegions(
  session: Session,
  { provider }: LoadedProvider,
  launches: readonly LaunchRecord[],
): Promise<readonly UnreachableLaunches[]> {
  const placed = launches.filter((record) => regionOf(record) !== undefined);
  if (placed.length === 0 || !supports(provider, "multiRegion")) return [];
  const regions = (await provider.listRegions(session.call)).map(({ id }) => id);
  const outside = Map.groupBy(
    placed.filter((record) => !regions.includes(regionOf(record) ?? "")),
    regionOf,
  );
  return [...outside].map(
    ([region, records]) =>
      new UnreachableLaunches(
        `provider ${provider.name} is configured for ${regions.join(", ")} and not for ${region}, where launches are remembered`,
        `Configure ${region} for ${provider.name}, and run the same command again.`,
        records,
      ),
  );
}

function notLoaded(
  session: Session,
  name: string,
  records: readonly LaunchRecord[],
  error: unknown,
): UnreachableLaunches {
  const known = classify(error);
  const hint = known.hint === undefined ? "" : `${known.hint} `;
  return new UnreachableLaunches(
    `provider ${name} cannot be asked from here (${known.code}: ${known.message}), and launches on it are remembered`,
    `${hint}If you know that they are gone, remove their files below ${session.state.launches}.`,
    records,
    error,
  );
}

function describe({ identity, instanceId }: LaunchRecord): string {
  return `${identity.key} (${instanceId ?? "begun, id not known"})`;
}

function regionOf(record: LaunchRecord): string | undefined {
  return record.region ?? record.expected.region;
}
