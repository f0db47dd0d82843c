/** What each capability promises, on and off, and through projection. CONTRACT.md in @slipway/core has the same sentences; a test holds both together. */
export const CAPABILITY_RULES = {
  "CAP-01": "`capabilities` holds a boolean for each of the eleven, and no flag changes while the provider lives.",
  "CAP-02":
    "Where a flag is on, every method that it unlocks is there and every option works: nothing that the type offers throws UNSUPPORTED.",
  "CAP-03": "Where a flag is off, the methods that it unlocks are absent.",
  "CAP-04":
    "Where a flag is off, its options are refused with UNSUPPORTED and the sentence of `whyNot` before any call, also for callers without types.",
  "CAP-05": "`whyNot` has one sentence for every flag that is off.",
  "CAP-06": "`accepts` and `assertAccepts` say of options built at run time what `spawn` would say.",
  "CAP-07": "`defineProvider` refuses a definition whose flags and methods disagree.",
  "CAP-08":
    "A capability of a third party, described by `defineCapability`, is refused where it is off, is projected, and brings its own cases into the suite.",
  "PROJ-01": "Through projection only the contract's fields are answered, in plain objects.",
  "PROJ-02":
    "Through projection only the contract's methods, those of the capabilities that are on, `exec`, `logs` and `readBootstrap` are there.",
  "PROJ-03": "A projected provider tells in every contract field the same as the exact one.",
  "PROJ-04":
    "By a written name a registry answers the exact provider; by a name from data the erased and projected one.",
  "REGION-01": "`listRegions` answers the configured regions, each once, and at least one.",
  "REGION-02": "An instance spawned in a region is there, and says so.",
  "REGION-03": "`list` covers all configured regions, and its `region` filter keeps one.",
  "REGION-04":
    "A region that was not configured is INVALID_SPEC before any call, so that nothing runs where `list` does not look.",
  "REGION-05": "A region that fails makes `list` fail with scope `region`.",
  "GPU-01": "An instance spawned with `gpu` has that many accelerators, as far as the remote tells.",
  "GPU-02": "A count below 1 or not whole is INVALID_SPEC before any call.",
  "SNAP-01":
    "`createSnapshot` answers a snapshot of that instance, with owner and key, which becomes `available` or `failed` by itself.",
  "SNAP-02": "The same key and instance give the same snapshot; nothing is made twice.",
  "SNAP-03": "`getSnapshotStatus` gives null only if there is no such snapshot.",
  "SNAP-04": "`deleteSnapshot` removes all that the snapshot costs, and resolves for ids that are gone or unknown.",
  "SNAP-05": "`listSnapshots` is complete, keeps to this owner unless asked otherwise, and filters by instance.",
  "SNAP-06":
    "`spawn({ fromSnapshot })` makes an instance from an available snapshot; an unknown one is INVALID_SPEC or NOT_FOUND with effect `none`.",
  "SNAP-07": "A snapshot of an unknown instance is NOT_FOUND with effect `none`, and a malformed key INVALID_SPEC.",
  "SPOT-01": "`spawn({ spot })` gives an instance whose `isSpot` is true.",
  "SPOT-02":
    "`requestSpotInstance` answers a request; once it is `fulfilled`, its `instanceId` is an instance as every other.",
  "SPOT-03": "The same key answers the same request and makes no second instance.",
  "SPOT-04":
    "`cancelSpotRequest` ends the request and also an instance that it made; it resolves for requests that are gone or unknown.",
  "SPOT-05": "`getSpotPrices` answers prices above zero with their time and source, and filters by spec and region.",
  "VOL-01": "`createVolume` answers a volume of that size, with owner and key.",
  "VOL-02": "The same key and size give the same volume; another size is CONFLICT with effect `none`.",
  "VOL-03": "`listVolumes` is complete, keeps to this owner unless asked otherwise, and filters by id and key.",
  "VOL-04": "`deleteVolume` removes the volume, and resolves for ids that are gone or unknown.",
  "VOL-05": "An attached volume is not deleted: INVALID_STATE, and it stays as it is.",
  "VOL-06": "`spawn({ volumes })` attaches them, and they outlive the instance.",
  "VOL-07": "A volume that is not there is INVALID_SPEC or NOT_FOUND at spawn, with effect `none`.",
  "WARM-01": "`warmVolume` answers a volume of the pool, and the same volume for the same key.",
  "WARM-02": "`claimWarmVolume` attaches a free volume of the pool to the instance; null if none is free.",
  "WARM-03": "Two claims never get the same volume.",
  "WARM-04": "`releaseWarmVolume` gives the volume back to its pool, and resolves however often it is called.",
  "HIBER-01":
    "`hibernate` brings an instance spawned with `hibernation: true` to `hibernated`, and `resume` back to `running`.",
  "HIBER-02": "`hibernate` on a hibernated instance and `resume` on a running one change nothing.",
  "HIBER-03": "An instance spawned without it cannot hibernate: INVALID_STATE with effect `none`.",
  "HIBER-04": "An unknown instance is NOT_FOUND.",
  "COST-01": "`getCosts` answers amounts of at least zero for times inside the query.",
  "COST-02": "`group` is null without `groupBy`, and names the day, instance or spec with it.",
  "TAIL-01": "`spawn({ tailscale })` is accepted and gives an instance.",
  "TAIL-02": "The auth key shows in no error, no answer and no event.",
  "NET-01": "`spawn({ network })` is accepted and gives an instance.",
  "NET-02": "A malformed network is INVALID_SPEC before any call.",
  "EXP-01": "An instance spawned with `terminateBy` is terminated at that time, although nobody asks for it.",
  "EXP-02":
    "It is not terminated earlier, and at most `limits.terminateLateMs` later; stopped is not terminated. One that has not begun by then never runs, however long its remote still tells it as `pending`.",
  "EXP-03": "The instance tells the time that it was given, and who keeps it: `remote` or `machine`.",
  "EXP-04": "A time that has passed, or that is none, is INVALID_SPEC before any call.",
} as const;
