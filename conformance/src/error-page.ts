import { readFileSync } from "node:fs";
import type { ErrorTableRow } from "@slipway/contract-tests";
import { ERROR_CODES, type ErrorCode } from "@slipway/core";
import { table, WIDE } from "./capability-page.ts";

const CODES_FILE = new URL("../../packages/core/src/errors/codes.ts", import.meta.url);

/** What each code means, in the words that an editor shows: the comment above its row in core. */
function meanings(): Readonly<Record<string, string>> {
  const rows = readFileSync(CODES_FILE, "utf8").matchAll(/\/\*\* (.+) \*\/\n {2}readonly ([A-Z_]+): Row</g);
  return Object.fromEntries([...rows].map(([, meaning = "", code = ""]) => [code, meaning]));
}

/** The page of the taxonomy and of every provider's table. */
export function errorPage(tables: Readonly<Record<string, readonly ErrorTableRow[]>>): string {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const said = meanings();
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
        const { category, retryable, scope } = ERROR_CODES[code];
        const meaning = said[code];
        if (meaning === undefined)
          throw new Error(`${code} has no comment in ${CODES_FILE.pathname} that says what it means`);
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
