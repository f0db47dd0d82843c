import { type Clock, isProviderError, nameFor, type Volume, type VolumeMethods } from "@slipway/core";
import type { Refusal } from "../errors/refusal.ts";
import { isOneOf } from "../filters/matches-filter.ts";
import type { KeyedMutex } from "../limits/keyed-mutex.ts";
import type { Call, Destroyed } from "./driver.ts";
import { ownershipByName } from "./ownership-tags.ts";
import type { WriteCache } from "./write-cache.ts";

export interface VolumeIdentity {
  readonly id: string;
  readonly name: string;
  readonly region?: string | undefined;
  readonly sizeBytes: number;
}

export interface VolumeRequest {
  readonly key: string;
  readonly name: string;
  /** As `roundSize` made it. */
  readonly sizeBytes: number;
  /** Undefined: the driver chooses. */
  readonly region: string | undefined;
}

/** Volumes of a remote that keeps nothing but their name. V: a volume on the wire. */
export interface VolumeDriver<V> {
  readonly isId: (id: string) => boolean;
  /** Also those that Slipway did not make, so that deleteVolume refuses them; else `destroy` has to. */
  readonly list: (call: Call) => Promise<readonly V[]>;
  readonly identify: (volume: V) => VolumeIdentity;
  readonly toVolume: (
    volume: V,
    base: Pick<Volume, "id" | "provider" | "key" | "owner" | "sizeBytes" | "region">,
    attachedTo: string | null,
  ) => Volume;
  readonly create: (
    call: Call,
    request: VolumeRequest,
  ) => Promise<{ readonly volume: V } | { readonly exists: unknown }>;
  readonly destroy: (call: Call, id: string) => Promise<Exclude<Destroyed, object>>;
  /** Which instance uses each of these; asked only where somebody has to know. */
  readonly attachments: (call: Call, volumes: readonly V[]) => Promise<ReadonlyMap<string, string>>;
  /** Shared with whoever mounts a volume that a listing does not show yet; the kit's own if absent. */
  readonly writeCache?: WriteCache<V>;
  /** The remote does not itself refuse to delete a volume in use, so that the kit does. */
  readonly guardsAttached?: boolean;
  /** The next size that the remote can make; throws INVALID_SPEC. */
  readonly roundSize?: (call: Call, sizeBytes: number) => number;
  /** What the name carries behind `nameFor`, where there is no other place for the size. */
  readonly nameSuffix?: (request: { readonly sizeBytes: number }) => string;
}

export interface VolumeContext<V> {
  readonly provider: string;
  readonly owner: string;
  readonly refuse: Refusal;
  readonly mutex: KeyedMutex;
  readonly writeCache: WriteCache<V>;
  readonly clock: Pick<Clock, "now">;
  readonly checkRegion: (call: Call, region: string | undefined) => void;
  readonly waitUntil: (call: Call, time: number) => Promise<void>;
}

/** The keyed life cycle of volumes: same key and size, same volume; another size or region, CONFLICT; ours only. */
export function volumesFromDriver<V>(driver: VolumeDriver<V>, context: VolumeContext<V>): VolumeMethods {
  const { owner: self, refuse, writeCache, mutex, provider, clock } = context;
  const view = (
    volume: V,
    ownership: { readonly owner: string | null; readonly key: string | null },
    user: string | null,
  ) => {
    const { id, region, sizeBytes } = driver.identify(volume);
    return driver.toVolume(
      volume,
      { id, provider, ...ownership, sizeBytes, ...(region === undefined ? {} : { region }) },
      user,
    );
  };
  const lookup = async (call: Call, wanted: VolumeRequest): Promise<V | null> => {
    const prefix = nameFor(self, wanted.key);
    const listed = async (asOf: number): Promise<V | undefined> =>
      (await driver.list(call))
        .map((volume) => ({ volume, ...driver.identify(volume) }))
        .filter(
          ({ name, id }) =>
            ownershipByName(name, NONE) !== null && name.startsWith(prefix) && !writeCache.isEnded(id, asOf),
        )
        .sort((a, b) => (a.id < b.id ? -1 : 1))[0]?.volume;
    const begun = clock.now();
    let found = (await listed(begun)) ?? writeCache.ofKey(wanted.key, begun)?.thing;
    const until = writeCache.unclearUntil(wanted.key, begun);
    if (found === undefined && until !== undefined) {
      await context.waitUntil(call, until);
      found = await listed(clock.now());
    }
    if (found === undefined) return null;
    const { id, sizeBytes, region } = driver.identify(found);
    const other = sizeBytes !== wanted.sizeBytes ? "size" : isElsewhere(region, wanted.region) ? "region" : null;
    if (other === null) return found;
    const message = `the key ${JSON.stringify(wanted.key)} has a volume of another ${other}: ${id}`;
    throw refuse("CONFLICT", call.operation, message, { nativeId: id });
  };
  const attachedTo = async (call: Call, volume: V): Promise<string | null> =>
    (await driver.attachments(call, [volume])).get(driver.identify(volume).id) ?? null;

  return {
    createVolume: async ({ key, sizeBytes: asked, region, zone, signal }) => {
      const call: Call = { operation: "createVolume", signal };
      if (zone !== undefined) throw refuse("INVALID_SPEC", call.operation, `zone: ${provider} has none, give a region`);
      context.checkRegion(call, region);
      const sizeBytes = driver.roundSize?.(call, asked) ?? asked;
      const name = `${nameFor(self, key)}${driver.nameSuffix?.({ sizeBytes }) ?? ""}`;
      const wanted = { key, name, sizeBytes, region };
      const ownership = { owner: self, key };
      return await mutex(`volume ${key}`, call, async () => {
        const there = await lookup(call, wanted);
        if (there !== null) return view(there, ownership, await attachedTo(call, there));
        const made = await driver.create(call, wanted).catch((error: unknown) => {
          if (!isProviderError(error) || error.effect !== "none") writeCache.unclear(key);
          throw error;
        });
        if ("volume" in made) {
          writeCache.made(key, driver.identify(made.volume).id, made.volume);
          return view(made.volume, ownership, null);
        }
        // Another process was quicker: the name is taken, and it is this very one.
        const winner = await lookup(call, wanted);
        if (winner !== null) return view(winner, ownership, null);
        throw made.exists;
      });
    },
    listVolumes: async (filter = {}, { signal } = {}) => {
      const call: Call = { operation: "listVolumes", signal };
      const { owner = self, keys, ids } = filter;
      const known = { owners: [self, owner].filter((each) => each !== "*"), keys: keys ?? [] };
      const isWantedId = isOneOf(ids);
      const rows = (await driver.list(call)).flatMap((volume) => {
        const { id, name } = driver.identify(volume);
        const ownership = ownershipByName(name, known);
        const isWanted = ownership !== null && (owner === "*" || ownership.owner === owner) && isWantedId(id);
        return isWanted && (keys === undefined || ownership.key !== null) ? [{ volume, ownership, id }] : [];
      });
      const users = await driver.attachments(
        call,
        rows.map(({ volume }) => volume),
      );
      return rows.map(({ volume, ownership, id }) => view(volume, ownership, users.get(id) ?? null));
    },
    deleteVolume: async (id, { signal } = {}) => {
      if (!driver.isId(id)) return;
      const call: Call = { operation: "deleteVolume", signal };
      const found = (await driver.list(call)).find((volume) => driver.identify(volume).id === id);
      if (found !== undefined && ownershipByName(driver.identify(found).name, NONE) === null) {
        throw refuse("CONFLICT", call.operation, `the volume ${id} was not made by Slipway: it is left alone`, {
          nativeId: id,
        });
      }
      const user = found !== undefined && driver.guardsAttached === true ? await attachedTo(call, found) : null;
      if (user !== null) {
        throw refuse("INVALID_STATE", call.operation, `the volume ${id} is used by the instance ${user}`, {
          hint: "Terminate that instance first.",
          nativeId: user,
        });
      }
      const outcome = await driver.destroy(call, id);
      // As for instances: what neither a read nor a write knows may have been made just now.
      if (outcome === "accepted" || found !== undefined) writeCache.ended(id);
    },
  };
}

const NONE = { owners: [], keys: [] } as const;

function isElsewhere(is: string | undefined, wanted: string | undefined): boolean {
  return wanted !== undefined && is !== undefined && is !== wanted;
}
