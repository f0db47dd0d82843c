import type { Rules } from "../ids.ts";

/** What control's `launch` promises; the tests of this package hold control to it. */
export const launchRules: Rules<"LAUNCH"> = {
  "LAUNCH-01":
    "One process at a time launches a key: the lease is taken first, and elsewhere held is CONFLICT with effect `none`.",
  "LAUNCH-02":
    "The intent is durable before the spawn: the request as it is sent, its spec hash, the attempt and the time.",
  "LAUNCH-03":
    "A process that finds an intent without an id sends the stored request again if the provider has `idempotentSpawn`.",
  "LAUNCH-04":
    "Without `idempotentSpawn` it looks the instance up by owner and key until a listing begun `requestLifeMs` and a whole `readAfterWriteMs` after it took the lease does not show it, and only then spawns again.",
  "LAUNCH-05":
    "Processes that share a store get exactly one instance for one key; without `idempotentSpawn` as long as no request takes effect later than `requestLifeMs` after its process has ended. Without it, where the `exclusion` of the store is `expiring`, a process that is paused or cut off past the expiry can make a second one, which it ends itself once it can, and which `reconcile` shows as a duplicate until then.",
  "LAUNCH-06":
    "`launch` with an `expiresAt` and no `terminateBy`, on a provider that keeps one, sets it 15 minutes later, so that `reconcile` comes first; the spec stays the caller's.",
};
