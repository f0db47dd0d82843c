/** What errors, effects, secrets and cancellation promise. CONTRACT.md in @slipway/core has the same sentences; a test holds both together. */
export const FAILURE_RULES = {
  "ERR-01":
    "Every rejection is a ProviderError, recognised by `isProviderError`, that names its provider and operation.",
  "ERR-02":
    "Category and retryability follow from the code; the scope is the code's own or the one that the provider's table says.",
  "ERR-03": "Every row of the provider's error table is emitted as it is written there.",
  "ERR-04": "An error is JSON-safe data that holds its message.",
  "EFFECT-01": "What is refused before anything is sent has effect `none`, and the remote is unchanged.",
  "EFFECT-02": "`none` is never said where the remote changed.",
  "EFFECT-03": "A documented refusal has effect `none`, never `unknown`.",
  "EFFECT-04": "After `unknown` or `applied`, `list({ keys })` finds exactly what the remote holds.",
  "EFFECT-05":
    "An unrecognised answer to a write is INTERNAL with effect `unknown`, or `applied` where the remote clearly did it; never `none`.",
  "EFFECT-06":
    "`mayRepeat` is true only for a retryable error whose effect is `none` or whose provider has `idempotentSpawn`.",
  "SECRET-01": "No secret, token or user data stands in an error's message or properties.",
  "SECRET-02": "No secret, token or user data stands in a log line, an event or an argument list.",
  "SECRET-03": "No token and no user data stands in what a call answers.",
  "CANCEL-01":
    "A call whose signal is aborted before it begins rejects with CANCELLED and effect `none`, and nothing changes.",
  "CANCEL-02": "A call that is aborted on its way rejects with CANCELLED and the true effect, or has succeeded.",
  "CANCEL-03": "A call that takes longer than `timeoutMs` rejects with TIMEOUT and the true effect.",
  "CANCEL-04": "Aborting after a call has resolved changes nothing.",
  "CANCEL-05":
    "Methods beyond the contract (`listOfferings`, `placements`, `readBootstrap`, `planCleanup`, `removeLeftover`) keep CANCEL-01 to CANCEL-03 and ERR-01, and refuse an option that they do not know with INVALID_SPEC and effect `none`.",
  "CONC-01": "Concurrent spawns of different keys give one instance each.",
  "CONC-02": "Concurrent terminations of one instance all resolve, and it is gone.",
  "CONC-03":
    "Reads while writes are under way are true: nothing that was there all the time is missing, and nothing is shown twice.",
} as const;
