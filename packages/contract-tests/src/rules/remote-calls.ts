/** What an id, an owner, a key and the five calls promise. CONTRACT.md in @slipway/core has the same sentences; a test holds both together. */
export const REMOTE_CALL_RULES = {
  "ID-01":
    "An instance's `id` is enough to address it from any process with the same credentials; no method that takes an id takes a region.",
  "ID-02": "`spawn`, `get` and `list` answer one and the same `id` and `nativeId` for one instance.",
  "ID-03": "A bare native id is accepted wherever an id is, and is looked for in every configured region.",
  "ID-04": "Two instances never share an `id` or a `nativeId`.",
  "ID-05":
    "A provider describes itself: a name of lower-case letters, digits and dashes, a tier, a contract version and its limits as numbers, and none of it changes.",
  "OWNER-01": "A provider has an `owner` of 1 to 63 lower-case letters, digits and dashes.",
  "OWNER-02":
    "Owner and key are written in the call that creates the instance: also when its answer is lost, nothing untagged remains.",
  "OWNER-03": "`list()` answers this owner's instances and nobody else's.",
  "OWNER-04":
    "`list({ owner })` answers that owner's instances, and `list({ owner: \"*\" })` everything that bears Slipway's tag.",
  "OWNER-05": "A machine without Slipway's tag is never listed.",
  "OWNER-06":
    "A thing that has our name but not our tag is CONFLICT with effect `none`: it is neither adopted nor changed nor deleted.",
  "OWNER-07": "The same key under two owners names two instances.",
  "OWNER-08":
    "`nameFor(owner, key)` is the only derivation of a remote name: `slip-`, 8 base32 characters of the owner's SHA-256, `-`, 20 of the key's.",
  "KEY-01": "A spawn without a key gets a UUID as its key, so that two such spawns give two instances.",
  "KEY-02":
    "A key is 1 to 128 printable ASCII characters: each of these is taken and kept apart from every other, and anything else is INVALID_SPEC before any call.",
  "KEY-03":
    "Same owner, key and spec, and the instance is neither terminating nor terminated: `spawn` answers that instance and nothing changes remotely.",
  "KEY-04": "That also holds while the instance is stopped, hibernated or in error.",
  "KEY-05":
    "Same owner and key, another spec: CONFLICT with effect `none` and the existing instance's id in `native.id`; nothing changes remotely.",
  "KEY-06":
    "Same owner and key, and the instance is terminated or gone: a new instance with an id of its own, as often as that happens. One that is terminating is never returned: `spawn` makes a new one, or throws BUSY with `retryAfterMs` and effect `none` while the remote still holds the name.",
  "KEY-07":
    "The spec compared leaves out `signal`, `timeoutMs` and the registration token, and a bootstrap config equals the script rendered from it.",
  "KEY-08": "An instance's `key` and `owner` are those that it was spawned with, or null where the remote keeps none.",
  "KEY-09":
    "`specHash` is the SHA-256 of the options' canonical JSON without `signal`, `timeoutMs` and rotating secrets: the order of fields does not matter.",
  "IDEM-01":
    "While another process creates the same key, `spawn` answers that instance after waiting, or CONFLICT or BUSY; there is never a second one.",
  "IDEM-02":
    "What a killed or cut-off client left half made is completed, or removed and made again, by the next spawn of its key; it is never left.",
  "IDEM-03":
    "Of two processes that spawn one key with different specs at once, at most one gets an instance and the other gets CONFLICT or BUSY.",
  "IDEM-04":
    "A repeated spawn is the same request: neither a cache nor chance nor another process alters what it asks for.",
  "DATA-01": "Everything that is answered is JSON-safe plain data, in the fields and types of the contract.",
  "DATA-02": "Times are ISO 8601 in UTC.",
  "DATA-03": "A value that the remote does not tell is absent or null, never invented; a price is never a silent zero.",
  "SPAWN-01": "`spawn` resolves when the remote accepted it, and the remote then holds exactly one instance more.",
  "SPAWN-02":
    "A spawned instance gets to `running` by itself, or to `error` or `terminated`, where `statusReason` says why.",
  "SPAWN-03":
    "A base option that a provider cannot honour is named in `refuses` with a sentence, and is refused with UNSUPPORTED and that sentence before any call.",
  "SPAWN-04":
    "Nothing is ignored in silence: an option that neither the contract nor the provider knows is INVALID_SPEC before any call.",
  "SPAWN-05": "A malformed option is INVALID_SPEC before any call, and the message names it.",
  "SPAWN-06":
    "`spec` and `resources` exclude each other, and both together are INVALID_SPEC before any call; with `limits.specTakesResources` both together are honoured.",
  "SPAWN-07": "The caller's labels are answered as they were given, without Slipway's own tags.",
  "SPAWN-08": "`expiresAt` is answered as it was given, and nothing ends the instance because of it.",
  "SPAWN-09":
    "More labels than `limits.maxLabels` and a name longer than `limits.nameMaxLength` are INVALID_SPEC before any call.",
  "SPAWN-10": "Where the price is known, a spawn whose `maxUsdPerHour` is below it is INVALID_SPEC before any call.",
  "SPAWN-11": "`spawn` does not change the options that it is given.",
  "SPAWN-12": "`isSpot` is true exactly where interruptible capacity was asked for.",
  "TERM-01":
    "Once `terminate` has resolved, `get` gives null, `terminating` or `terminated`, except within `limits.readAfterWriteMs`.",
  "TERM-02": "What was terminated ends: the remote holds it no longer.",
  "TERM-03": "`terminate` resolves for ids that are gone, unknown or malformed, as often as it is called.",
  "TERM-04": "`terminate` rejects if the outcome is unclear, and can then be called again.",
  "TERM-05": "`terminate` ends the one instance that it names and no other.",
  "GET-01": "`get` gives null if the remote says that there is no such instance, and for a malformed id.",
  "GET-02":
    "Every other failure of `get` throws: null is never a guess, and a not-found is believed only in the remote's own words.",
  "GET-03": "`get` tells of an instance what `spawn` told of it, as far as that does not change by itself.",
  "LIST-01": "`list` answers everything but `terminated`; terminated instances only if the filter asks for them.",
  "LIST-02":
    "`list` is complete: it holds every instance of the owner in every region that the provider was configured with.",
  "LIST-03": "A failed page, a failed region and a remote that is down are errors, never a shorter or an empty answer.",
  "LIST-04": "A filter's fields are joined by AND, the values of one field by OR.",
  "LIST-05": "A filter that the contract does not know is INVALID_SPEC, never ignored.",
  "LIST-06": "`list` tells of an instance what `get` tells of it.",
  "BOOT-01":
    "`generateBootstrap` answers `content`, `format`, the `checksum` and the `byteLength` of the content's UTF-8 bytes.",
  "BOOT-02": "The same config gives the same bytes, in every process; another config gives others.",
  "BOOT-03": "`generateBootstrap` makes no call and changes nothing.",
  "BOOT-04": "A rendered script whose checksum, format or length is wrong is INVALID_SPEC before any call.",
  "BOOT-05": "A bootstrap that is larger than `limits.maxUserDataBytes` after packing is INVALID_SPEC before any call.",
  "BOOT-06":
    "Every value of a config may hold every character but NUL; NUL is INVALID_SPEC, and so is a script that a shell would misread: the line ends of Windows in its first line, or blanks before `#!`.",
  "BOOT-07":
    "Where a provider tells of the bootstrap, it tells the true end: `succeeded`, or `failed` with the exit code.",
  "BOOT-08":
    "`stableChecksum` is the checksum without the registration token and without the token of `report`: a rotated token does not change it.",
  "BOOT-09":
    "A provider with `readBootstrap` reports there what `get` reports of the bootstrap, or its true end where `get` reports none, with its last lines free of control characters; null for an instance without one, NOT_FOUND where there is none.",
} as const;
