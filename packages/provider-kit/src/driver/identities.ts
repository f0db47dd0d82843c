import { type Instance, nameFor } from "@slipway/core";
import type { Driver, Identity, InstanceBase, Ownership, SpawnRequest } from "./driver.ts";
import type { AnySpawnOptions, DriverContext } from "./driver-context.ts";

/** A machine, and what the driver knows it by. */
export interface Candidate<M> {
  readonly machine: M;
  readonly identity: Identity;
}

/** The key of an owner's thing by its name; null where no known key has it. */
type KeyOf = (owner: string, name: string) => string | null;

/** What a machine's identity says: whose it is, whether it has ended, and which instance Slipway reports. */
export class Identities<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;

  constructor(driver: Driver<M, I, O, T>, context: DriverContext<M>) {
    this.#driver = driver;
    this.#context = context;
  }

  candidate(machine: M): Candidate<M> {
    return { machine, identity: this.#driver.identify(machine) };
  }

  toInstance({ machine, identity }: Candidate<M>, keyOf?: KeyOf): I {
    return this.#driver.toInstance(machine, instanceBase(identity, this.#context.provider, keyOf));
  }

  /**
   * An instance that is about to be gone is never returned by `spawn`: whoever got it would soon have nothing. `asOf`: when the
   * read began that shows it.
   */
  hasEnded({ id, status }: Identity, asOf: number): boolean {
    return status === "terminated" || status === "terminating" || this.#context.writeCache.isEnded(id, asOf);
  }

  isOwned({ ownership }: Identity, owner: string): boolean {
    return ownership !== null && (owner === "*" || ownership.owner === owner);
  }

  isOf({ ownership, name }: Identity, request: SpawnRequest<O, unknown>): boolean {
    if (ownership?.owner !== this.#context.owner) return false;
    return ownership.key === null ? name === request.name : ownership.key === request.key;
  }
}

/** The fields of an instance that follow from its identity. */
function instanceBase(identity: Identity, provider: string, keyOf: KeyOf = () => null): InstanceBase {
  const { id, nativeId = id, status, ownership, name } = identity;
  const owner = ownership?.owner ?? null;
  const key = ownership?.key ?? (owner === null || name === undefined ? null : keyOf(owner, name));
  const { labels = {}, expiresAt, displayName, specHash: hash = "" } = ownership ?? {};
  return {
    id,
    nativeId,
    provider,
    status,
    key,
    owner,
    specHash: hash,
    labels,
    ...(name === undefined || name === "" ? {} : { remoteName: name }),
    ...(displayName === undefined ? {} : { name: displayName }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** Which of these keys has a name: where a remote keeps nothing but the name. */
export function keysByName(keys: readonly string[] = []): KeyOf {
  const byOwner = new Map<string, ReadonlyMap<string, string>>();
  return (owner, name) => {
    const names = byOwner.get(owner) ?? new Map(keys.map((key) => [nameFor(owner, key), key]));
    byOwner.set(owner, names);
    return names.get(name) ?? null;
  };
}

/** A creation that was cut off has no spec hash yet: the driver's `finish` decides. */
export function isSameSpec(ownership: Ownership | null, request: { readonly specHash: string }): boolean {
  return ownership?.specHash === undefined || ownership.specHash === request.specHash;
}

/** Every process that looks chooses the same one. */
export function byAge<M>(a: Candidate<M>, b: Candidate<M>): number {
  const [before, after] = [a.identity.createdAt ?? "", b.identity.createdAt ?? ""];
  return before === after ? (a.identity.id < b.identity.id ? -1 : 1) : before < after ? -1 : 1;
}
