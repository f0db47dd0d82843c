import type { ErrorTableRow } from "@slipway/contract-tests";
import { ERROR_CODES, type ErrorCode } from "@slipway/core";
import { table, WIDE } from "./capability-page.ts";

/** The page of the taxonomy and of every provider's table. */
export function errorPage(tables: Readonly<Record<string, readonly ErrorTableRow[]>>): string {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const byProvider = Object.entries(tables).flatMap(([name, rows]) => [
    `## ${name}`,
    "",
    table(
      ["what the remote says", "code", "scope", "effect"],
      rows
        .toSorted((a, b) => codes.indexOf(a.code) - codes.indexOf(b.code) || (a.id < b.id ? -1 : 1))
        .map(({ id, code, scope, effect }) => [`\`${id}\``, code, scope ?? ERROR_CODES[code].scope, effect]),
    ),
    "",
  ]);
  return [
    ...WIDE,
    "# Errors",
    "",
    "<!-- Written by the tests of conformance/ from the code: do not edit. -->",
    "",
    "Every method of every provider rejects with a `ProviderError` and nothing else. `retryable` says whether the same",
    "request may succeed later; `effect` whether the remote side changed: `none`, `applied`, or `unknown`, which is looked",
    "up and never repeated blindly.",
    "",
    table(
      ["code", "category", "retryable", "scope", "meaning"],
      codes.map((code) => {
        const { category, retryable, scope, meaning } = ERROR_CODES[code];
        return [code, category, retryable ? "yes" : "no", scope, meaning];
      }),
    ),
    "",
    "What follows is each provider's own table: a row has a fixture, and a case of the suite that provokes it.",
    "",
    ...byProvider,
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
