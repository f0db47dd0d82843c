import { isProviderError } from "@slipway/core";

/** What an id names. The prefix is the remote's own. */
export type IdKind = "mem" | "memdisk" | "memcap" | "membid";

export interface ParsedId {
  /** Null: a bare native id, to be looked for everywhere. */
  readonly region: string | null;
  readonly nativeId: string;
}

/** `region/mem-…`, or the remote's own id alone; null if it is neither. */
export function parseId(id: string, kind: IdKind): ParsedId | null {
  const [, region, nativeId, prefix] = /^(?:([a-z0-9-]+)\/)?(([a-z]+)-[0-9a-f]{12})$/.exec(id) ?? [];
  return nativeId === undefined || prefix !== kind ? null : { region: region ?? null, nativeId };
}

export function composeId(thing: { readonly region: string; readonly id: string }): string {
  return `${thing.region}/${thing.id}`;
}

/**
 * Goes to the region of an id, or with a bare native id through all of them, until one has the thing. Null only if every
 * one says that it has not; one that failed may have it, so its error is thrown.
 */
export async function inRegions<T>(
  id: string,
  kind: IdKind,
  regions: readonly string[],
  look: (region: string, nativeId: string) => Promise<T>,
): Promise<T | null> {
  const parsed = parseId(id, kind);
  if (parsed === null) return null;
  let failed: Error | undefined;
  for (const region of parsed.region === null ? regions : [parsed.region]) {
    try {
      return await look(region, parsed.nativeId);
    } catch (error) {
      if (!isAbsence(error)) failed = worse(failed, error);
    }
  }
  if (failed !== undefined) throw failed;
  return null;
}

/** The error that may have changed something, else the first: what is thrown must be true of all regions. */
function worse(before: Error | undefined, error: unknown): Error {
  const next = error instanceof Error ? error : new TypeError("what was thrown is no error", { cause: error });
  const harmless = isProviderError(next) && next.effect === "none";
  return before === undefined || (!harmless && isProviderError(before) && before.effect === "none") ? next : before;
}

/** Does the error say that there is no such thing, or no such region for it to be in? */
function isAbsence(error: unknown): boolean {
  return isProviderError(error) && (error.code === "NOT_FOUND" || error.native?.code === "unknown-place");
}
