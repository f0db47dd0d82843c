import type { ErrorCode, ErrorEffect, ErrorScope } from "@slipway/core";

/** What an answer that is no success means. */
export interface AnswerMeaning {
  readonly code: ErrorCode;
  /** `none` for a documented refusal; `unknown` where a write may have been done. */
  readonly effect: ErrorEffect;
  /** For a person; the remote's own words are put behind it. */
  readonly message?: string | undefined;
  readonly scope?: ErrorScope | undefined;
  readonly hint?: string | undefined;
  /** The remote's own error code, and its own sentence. */
  readonly nativeCode?: string | undefined;
  readonly nativeMessage?: string | undefined;
}
