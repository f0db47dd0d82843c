import type { ErrorCode, ErrorEffect } from "@slipway/core";
import type { HttpAnswer } from "./answer.ts";
import type { AnswerMeaning } from "./answer-meaning.ts";

interface Row {
  readonly from: number;
  readonly to: number;
  readonly code: ErrorCode;
  /** Of a write. The remote refused, or the effect is unknown. */
  readonly effect: ErrorEffect;
  /** Only if the API itself answered, and no page of something in between. */
  readonly needsJson?: true;
}

// What a status means where the provider's own table says nothing. First match.
const ROWS: readonly Row[] = [
  { from: 401, to: 401, code: "AUTH_ERROR", effect: "none" },
  { from: 403, to: 403, code: "AUTH_ERROR", effect: "none", needsJson: true },
  { from: 408, to: 408, code: "TIMEOUT", effect: "unknown" },
  { from: 409, to: 409, code: "CONFLICT", effect: "none", needsJson: true },
  { from: 410, to: 410, code: "UNSUPPORTED", effect: "none" },
  { from: 400, to: 400, code: "INVALID_SPEC", effect: "none", needsJson: true },
  { from: 422, to: 422, code: "INVALID_SPEC", effect: "none", needsJson: true },
  { from: 429, to: 429, code: "RATE_LIMIT_ERROR", effect: "none" },
  { from: 500, to: 501, code: "UNAVAILABLE", effect: "unknown" },
  { from: 502, to: 599, code: "UNAVAILABLE", effect: "unknown" },
];

/** What an answer means by its status alone. A page of a proxy is neither the API's refusal nor its consent. */
export function defaultMeaning(answer: HttpAnswer, writes: boolean): AnswerMeaning {
  const isJson = answer.notJson === undefined;
  const row = ROWS.find(
    ({ from, to, needsJson }) => answer.status >= from && answer.status <= to && (isJson || needsJson !== true),
  );
  if (row !== undefined) return { code: row.code, effect: writes ? row.effect : "none" };
  return {
    code: "INTERNAL",
    effect: writes ? "unknown" : "none",
    message: `HTTP ${answer.status} with an answer that is not the API's${isJson ? "" : `: ${answer.notJson}`}`,
    hint: "Something between this machine and the API may have answered: look at the base URL, proxies and firewalls.",
  };
}
