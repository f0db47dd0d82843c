import { canonicalJson } from "@slipway/core";
import type { Call } from "./action.ts";
import { refuse } from "./answers.ts";

// EC2 says nothing of it; so long did the makers of its volume driver see tokens work.
const REMEMBERED_MS = 12 * 3_600_000;

/**
 * What a client token made before, or what `make` makes now. A token serves one request: with other parameters it is
 * refused, and in another scope (zone, for launches that name one) it is another token.
 */
export function withToken(
  call: Call,
  scope: string,
  token: string | undefined,
  make: () => readonly string[],
): { readonly ids: readonly string[]; readonly replayed: boolean } {
  if (token === undefined || token === "") return { ids: make(), replayed: false };
  const name = `${scope} ${token}`;
  const before = call.region.tokens.get(name);
  const fingerprint = canonicalJson(call.raw);
  if (before !== undefined && call.now - before.at < REMEMBERED_MS) {
    if (before.fingerprint === fingerprint) return { ids: before.ids, replayed: true };
    return refuse(
      "IdempotentParameterMismatch",
      "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    );
  }
  const ids = make();
  call.region.tokens.set(name, { fingerprint, ids, at: call.now });
  return { ids, replayed: false };
}
