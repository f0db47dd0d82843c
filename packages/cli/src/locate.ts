import type { LaunchRecord } from "@slipway/control";
import {
  assertSupports,
  type BuiltinCapability,
  type Instance,
  isKey,
  type Provider,
  type Snapshot,
} from "@slipway/core";
import { CliError } from "./cli-error.ts";
import { isStoreFailure } from "./error-report.ts";
import type { LoadedProvider } from "./providers.ts";
import { isMeant, rememberedLaunches, unreachable } from "./remembered.ts";
import type { Session } from "./session.ts";

export interface Located {
  readonly provider: Provider;
  readonly instance: Instance;
}

/** The providers that a command without an id is about: the named one, or all that were found. */
export async function providersInScope(session: Session): Promise<readonly string[]> {
  return session.namedProvider === undefined ? session.providers.names() : [session.namedProvider];
}

/** The one provider that a command is about, where it needs one. */
export async function oneProvider(session: Session): Promise<LoadedProvider> {
  return session.providers.load(session.namedProvider ?? (await session.providers.defaultName()));
}

/** The instance that an id or a key means, in the named provider or in any; null if no provider has it. */
export async function locate(session: Session, word: string): Promise<Located | null> {
  if (word === "") throw new CliError("MISSING_ARGUMENT", "the id or key is empty");
  const failures: unknown[] = [];
  const providers: Provider[] = [];
  for (const name of await providersInScope(session)) {
    try {
      const { provider } = await session.providers.load(name);
      const instance = await provider.get(word, session.call);
      if (instance !== null) return { provider, instance };
      providers.push(provider);
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      failures.push(error);
    }
  }
  const located = await byKey(session, word, providers, failures);
  // What is remembered where nobody can be asked is not gone; nor may another instance be taken for it.
  const [elsewhere] = await unreachable(session, await meant(session, word, located));
  if (elsewhere !== undefined) throw elsewhere;
  // Where one provider could not be asked, nobody can say that there is no such instance.
  if (located === null && failures.length > 0) throw failures[0];
  return located;
}

async function meant(session: Session, word: string, located: Located | null): Promise<readonly LaunchRecord[]> {
  try {
    const { launches, unread } = await rememberedLaunches(session);
    const found = launches.filter((record) => isMeant(record, word));
    if (found.length === 0 && unread !== undefined) throw unread;
    return found;
  } catch (error) {
    // An instance that was found is there, whatever the store looks like.
    if (located !== null && (error instanceof CliError || isStoreFailure(error))) return [];
    throw error;
  }
}

/** As `locate`, for commands that need the instance. */
export async function mustLocate(session: Session, word: string): Promise<Located> {
  const located = await session.progress.during(`looking for ${word}`, () => locate(session, word));
  if (located !== null) return located;
  const scope = (await providersInScope(session)).join(", ");
  throw new CliError(
    "NOT_FOUND",
    `there is no instance with the id or key ${JSON.stringify(word)} (looked in: ${scope})`,
    "`slipway list` shows yours; `slipway list --all` also those that have ended.",
  );
}

async function byKey(
  session: Session,
  key: string,
  providers: readonly Provider[],
  failures: unknown[],
): Promise<Located | null> {
  if (!isKey(key)) return null;
  const found: Located[] = [];
  for (const provider of providers) {
    try {
      const listed = await provider.list({ keys: [key] }, session.call);
      const instances = listed.length > 0 ? listed : [await remembered(session, provider, key)];
      found.push(...instances.flatMap((instance) => (instance === null ? [] : [{ provider, instance }])));
    } catch (error) {
      if (session.world.signal.aborted) throw error;
      failures.push(error);
    }
  }
  if (found.length < 2) return found[0] ?? null;
  const ids = found.map(({ provider, instance }) => `${instance.id} (${provider.name})`).join(" and ");
  throw new CliError(
    "AMBIGUOUS_KEY",
    `the key ${JSON.stringify(key)} is that of ${ids}`,
    "Name one by its id, or add --provider.",
  );
}

/** What was launched from here under the key, which a listing may not show yet; or the last one that has ended. */
async function remembered(session: Session, provider: Provider, key: string): Promise<Instance | null> {
  const id = await rememberedId(session, provider, key);
  const instance = id === null ? null : await provider.get(id, session.call);
  if (instance !== null) return instance;
  const ended = await provider.list({ keys: [key], status: ["terminated"] }, session.call);
  return [...ended].sort((a, b) => (b.createdAt ?? "").localeCompare(a.createdAt ?? ""))[0] ?? null;
}

async function rememberedId(session: Session, provider: Provider, key: string): Promise<string | null> {
  const { launchId } = await import("@slipway/control");
  const identity = { provider: provider.name, account: "", owner: provider.owner, key };
  const record = await (await session.store()).read(launchId(identity));
  return record?.kind === "launch" ? (record.instanceId ?? null) : null;
}

type Having<C extends BuiltinCapability> = Provider<Instance, Snapshot, C>;

/** The same provider with the capability that a command needs; UNSUPPORTED with the provider's reason otherwise. */
export function requireCapability<const C extends BuiltinCapability>(provider: Provider, capability: C): Having<C> {
  // Called through a plain signature: the guard's own proves nothing for a name that is a type parameter.
  const assert: (provider: Provider, name: BuiltinCapability) => void = assertSupports;
  assert(provider, capability);
  // The flag has just been read, and `defineProvider` has seen to it that its methods are there.
  return provider as unknown as Having<C>;
}

/** The provider that a command is about, with the capability that it needs. */
export async function supporting<const C extends BuiltinCapability>(
  session: Session,
  capability: C,
): Promise<Having<C>> {
  return requireCapability((await oneProvider(session)).provider, capability);
}
