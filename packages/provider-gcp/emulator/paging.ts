import { refuse } from "./answers.ts";
import type { World } from "./world.ts";

const MOST = 500;

/** One page of a list; the token says where the next one begins. */
export function pageOf<T>(
  world: World,
  all: readonly T[],
  query: URLSearchParams,
): { readonly items: readonly T[]; readonly nextPageToken: string | undefined } {
  const asked = Number(query.get("maxResults") ?? MOST);
  if (!Number.isInteger(asked) || asked < 0 || asked > MOST)
    refuse(400, "invalid", `Invalid value for field 'maxResults': '${asked}'.`);
  const size = Math.min(asked === 0 ? MOST : asked, world.settings.pageSize);
  const [, from = "0", kind] = /^from-(\d+)(-full)?$/.exec(query.get("pageToken") ?? "from-0") ?? [];
  const begin = Number(from);
  if (world.settings.emptyPages && kind === undefined) return { items: [], nextPageToken: `from-${begin}-full` };
  const end = begin + size;
  return { items: all.slice(begin, end), nextPageToken: end < all.length ? `from-${end}` : undefined };
}
