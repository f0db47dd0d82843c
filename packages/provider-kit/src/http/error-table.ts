import type { ErrorCode, ErrorEffect, ErrorScope, Operation } from "@slipway/core";
import type { HttpAnswer } from "./answer.ts";
import type { AnswerMeaning } from "./answer-meaning.ts";

/** What a remote says, and what the user gets. The first row that fits an answer counts. */
export interface HttpErrorRow {
  /** Unique; an emulator answers with the remote's own words where a fault names it. */
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  /** Absent: any but a success. Only for rows with a code of the remote's own. */
  readonly status?: number | readonly number[];
  /** The remote's own code: whole, or its beginning where it ends in `/`. Absent: any, also no JSON at all. */
  readonly native?: string;
  /** A word of the message that tells it from a neighbour. */
  readonly says?: RegExp;
  /** Only where the answer is, or is not, JSON. */
  readonly json?: boolean;
  /** Only for these operations. */
  readonly only?: readonly string[];
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly message?: string;
  readonly hint?: string;
}

/** What the remote says of a failure, in its own words. */
export interface NativeFailure {
  /** Undefined where the remote has no codes. */
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

/** Rows as they are written: most are met at `spawn`, and say that nothing was done. */
export type WrittenRow = Omit<HttpErrorRow, "operation" | "effect"> &
  Partial<Pick<HttpErrorRow, "operation" | "effect">>;

export function errorRows(rows: readonly WrittenRow[]): readonly HttpErrorRow[] {
  return rows.map((row) => ({ operation: "spawn", effect: "none", ...row }));
}

/** `meaningOf` of an HTTP client over a table; `nativeOf` reads the remote's envelope of errors. */
export function errorTable(
  rows: readonly HttpErrorRow[],
  nativeOf: (json: unknown) => NativeFailure | undefined,
): (answer: HttpAnswer, operation: Operation) => AnswerMeaning | undefined {
  return (answer, operation) => {
    const said = nativeOf(answer.json);
    const row = rows.find((candidate) => fits(candidate, answer, operation, said));
    if (row === undefined) return undefined;
    const { code, effect, scope, hint, message } = row;
    return { code, effect, scope, hint, message, nativeCode: said?.code, nativeMessage: said?.message };
  };
}

function fits(row: HttpErrorRow, answer: HttpAnswer, operation: Operation, said: NativeFailure | undefined): boolean {
  const statuses = typeof row.status === "number" ? [row.status] : row.status;
  if (statuses?.includes(answer.status) === false) return false;
  if (row.only?.includes(operation) === false) return false;
  if (row.json !== undefined && row.json !== (answer.notJson === undefined)) return false;
  const { code = "", message = "" } = said ?? {};
  const { native = "" } = row;
  const named = native === "" || code === native || (native.endsWith("/") && code.startsWith(native));
  return named && (row.says === undefined || row.says.test(`${code} ${message}`));
}
