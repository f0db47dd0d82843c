/** What hooks, packages, the registry, launch, workflows and clusters promise. CONTRACT.md in @slipway/core has the same sentences; a test holds both together. */
export const SURROUNDING_RULES = {
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
  "HOOK-01": "`onStartup` resolves where credentials, tools and permissions are there, and changes nothing remotely.",
  "HOOK-02": "`onStartup` rejects with a ProviderError that says what is missing.",
  "HOOK-03": "`onShutdown` ends no instance.",
  "HOOK-04": "`onHeartbeat` answers one receipt for each task that was asked for, in the same order.",
  "HOOK-05": "What is not done by the deadline is answered as failed with TIMEOUT.",
  "HOOK-06":
    "A heartbeat task that fails is a failed receipt: the hook does not reject, and the other tasks are answered.",
  "HOOK-07": "`onHeartbeat` ends, deletes and changes nothing.",
  "HOOK-08": "Through a registry no hook throws: a failing hook is a failed receipt.",
  "PKG-01":
    "A provider package's manifest names its provider and contract under `slipway`, and both agree with the provider.",
  "PKG-02": "`register` validates its config and rejects with INVALID_SPEC; it answers a registration.",
  "REGISTRY-01": "A registry accepts the contract versions n and n-1, and refuses others with the line that upgrades.",
  "RUNTIME-01":
    "A listener that throws is not the fault of the call that it listens to, and `log` is silent by default.",
  "RUNTIME-02": "`timeoutMs` is counted on the injected clock and no other.",
  "FLOW-01":
    "A workflow that a provider ships has a type, a whole version of at least 1, input and output schemas, and a contract whose fields and duration are set.",
  "FLOW-02":
    "A step's name is unique in a run, and its `key` is a pure function of the workflow's type, run id and name.",
  "FLOW-03": "Undos run in reverse order, all of them, also for the failed step if its error's effect is not `none`.",
  "FLOW-04": "What could not be undone is in the error's `leftovers`.",
  "FLOW-05": "A run whose process was killed is resumed by its run id, and no finished step runs again.",
  "FLOW-06": "Cancelling undoes, and `maxDurationMs` cancels.",
  "CLUSTER-01":
    "`provision` answers a cluster of this owner with the nodes that were asked for, one of them the control plane.",
  "CLUSTER-02":
    "The same config again answers the same cluster, completes what is missing of it, and makes nothing twice.",
  "CLUSTER-03": "Another config under the same name is CONFLICT with effect `none`.",
  "CLUSTER-04": "`listClusters` and `listNodes` are complete and agree; an unknown cluster has no nodes.",
  "CLUSTER-05":
    "`deleteNodes` removes the nodes and no others, and resolves for an empty list and for nodes that are gone.",
  "CLUSTER-06": "`getApiServerEndpoint` answers an https URL; an unknown cluster is NOT_FOUND.",
  "CLUSTER-07":
    "`execInContainer` takes an argument list and no shell, and a non-zero exit is a result; an unknown node is NOT_FOUND.",
  "CLUSTER-08": "Calls at once with the same config make one cluster.",
  "CLUSTER-09": "A config that nobody could make is INVALID_SPEC with effect `none`, and nothing is made.",
  "CLUSTER-10":
    "A call whose signal is aborted rejects with CANCELLED and the true effect; one that was aborted before it began does nothing.",
  "CLUSTER-11": "A node is never an instance: `list` does not show it, and `terminate` does not end it.",
} as const;
