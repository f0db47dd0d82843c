import { isProviderError, ProviderError, type Schema } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { HttpCall } from "@slipway/provider-kit/http";
import { PROVIDER, refusal, regionOf } from "./remote.ts";
import type { WireAggregated, WirePage } from "./wire.ts";

const PAGE = "500";
const MOST_PAGES = 10_000;
const EMPTY = "NO_RESULTS_ON_PAGE";
const UNREACHABLE = "UNREACHABLE";

/** How Google answers the listing of one kind of thing: over all zones, and of one. */
export interface Listed<T> {
  readonly kind: string;
  readonly everywhere: Schema<WireAggregated<T>>;
  readonly inZone: Schema<WirePage<T>>;
}

type Query = Readonly<Record<string, string | undefined>>;

/** Lists that are whole, or throw. */
export interface Listing {
  /** Each page as it comes, with what it says beside its items. */
  readonly pages: <P extends { readonly nextPageToken?: string | undefined }>(
    call: Call,
    path: string,
    answer: Schema<P>,
    query: Query,
  ) => AsyncGenerator<P>;
  /** All items; a warning other than that a page is empty makes the list incomplete. */
  readonly whole: <T>(
    call: Call,
    path: string,
    answer: Schema<WirePage<T>>,
    query?: Readonly<Record<string, string>>,
  ) => Promise<readonly T[]>;
  /**
   * In pages. One zone is read by itself. Of several, all zones of the project are read at once; an unreachable one among
   * `zones` is read by itself then, and if that fails it is an error of its region.
   */
  readonly inZones: <T>(
    call: Call,
    what: Listed<T>,
    filter: string,
    zones: readonly string[],
  ) => AsyncGenerator<readonly T[]>;
}

export function listing(project: string, send: <T>(call: HttpCall<T>) => Promise<T>): Listing {
  async function* pages<P extends { readonly nextPageToken?: string | undefined }>(
    call: Call,
    path: string,
    answer: Schema<P>,
    query: Query,
  ): AsyncGenerator<P> {
    const seen = new Set<string>();
    for (let pageToken: string | undefined; ; ) {
      const more = { query: { maxResults: PAGE, ...query, pageToken }, bucket: "list" };
      const page = await send({ ...call, method: "GET", path, answer, ...more });
      yield page;
      pageToken = page.nextPageToken;
      if (pageToken === undefined || pageToken === "") return;
      if (seen.has(pageToken) || seen.size >= MOST_PAGES) throw endless(call, path);
      seen.add(pageToken);
    }
  }

  async function whole<T>(
    call: Call,
    path: string,
    answer: Schema<WirePage<T>>,
    query: Readonly<Record<string, string>> = {},
  ): Promise<readonly T[]> {
    const found: T[] = [];
    for await (const page of pages(call, path, answer, query)) {
      const code = page.warning?.code;
      if (code !== undefined && code !== EMPTY) throw incomplete(call, path, code);
      found.push(...(page.items ?? []));
    }
    return found;
  }

  const ofZone = <T>(call: Call, { kind, inZone }: Listed<T>, filter: string, zone: string): Promise<readonly T[]> =>
    whole(call, `projects/${project}/zones/${zone}/${kind}`, inZone, { filter }).catch((error: unknown) => {
      throw ofRegion(error, regionOf(zone));
    });

  return {
    pages,
    whole,
    inZones: async function* (call, what, filter, zones) {
      const [only] = zones;
      if (only !== undefined && zones.length === 1) {
        yield await ofZone(call, what, filter, only);
        return;
      }
      const unreachable = new Set<string>();
      let isPartial = false;
      for await (const page of pages(call, `projects/${project}/aggregated/${what.kind}`, what.everywhere, {
        filter,
      })) {
        const codes = [...Object.entries(page.items ?? {}), ["", page] as const];
        for (const [scope, { warning }] of codes) {
          const code = warning?.code;
          if (code === undefined || code === EMPTY) continue;
          if (code !== UNREACHABLE) throw incomplete(call, scope, code);
          if (scope !== "") unreachable.add(lastPart(scope));
          else isPartial = true;
        }
        for (const url of page.unreachables ?? []) unreachable.add(lastPart(url));
        yield Object.values(page.items ?? {}).flatMap(({ found }) => found);
      }
      // Something is missing, and Google does not say what.
      if (isPartial && unreachable.size === 0) throw incomplete(call, "", UNREACHABLE);
      for (const zone of zones) {
        // A region may be named as a whole.
        if (!unreachable.has(zone) && !unreachable.has(regionOf(zone))) continue;
        yield await ofZone(call, what, filter, zone);
      }
    },
  };
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function incomplete({ operation }: Call, where: string, code: string): ProviderError {
  return refusal("UNAVAILABLE", operation, `the listing of ${where || "all zones"} is not complete: ${code}`, {
    scope: "region",
    native: { code },
    hint: "A shorter list would hide instances that cost money.",
  });
}

/** The same failure, of one region. */
function ofRegion(error: unknown, region: string): unknown {
  if (!isProviderError(error) || error.code === "CANCELLED" || error.code === "TIMEOUT") return error;
  const { code, operation, native, retryAfterMs, effect } = error;
  return new ProviderError(code, {
    message: `region ${region} cannot be read: ${error.message}`,
    provider: PROVIDER,
    operation,
    effect,
    scope: "region",
    native,
    retryAfterMs,
    cause: error,
  });
}

function endless({ operation }: Call, path: string): ProviderError {
  return refusal("INTERNAL", operation, `the listing of ${path} says that there is more, and does not lead there`);
}
