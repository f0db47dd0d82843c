import { ERROR_CODES, isProviderError, type ProviderError } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { ConformanceFailure, must, mustEqual, NotApplicable, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { ErrorTableRow } from "../harness.ts";
import type { Rules } from "../ids.ts";
import { OPERATIONS } from "../operations.ts";
import { otherSpec } from "../same-key.ts";

// A provider that tries again by itself meets the fault again.
const OFTEN = 50;

export const errorsRules: Rules<"ERR"> = {
  "ERR-01":
    "Every rejection is a ProviderError, recognised by `isProviderError`, that names its provider and operation.",
  "ERR-02":
    "Category and retryability follow from the code; the scope is the code's own or the one that the provider's table says.",
  "ERR-03": "Every row of the provider's error table is emitted as it is written there.",
  "ERR-04": "An error is JSON-safe data that holds its message.",
};

/** What an error is made of, and that each row of the provider's table is true. */
export const errorsCases: Cases<"errors"> = {
  "errors.branded": {
    title: "rejects with a ProviderError that names provider and operation",
    rules: ["ERR-01"],
    run: async (context) => {
      for (const { operation, error } of await provoked(context)) {
        const next = "Make the provider with core's defineProvider, and throw ProviderErrors.";
        must(isProviderError(error), "ERR-01", `${operation} rejected with ${shown(error)}`, next);
        mustEqual("ERR-01", "the error's provider", error.provider, context.provider.name, next);
        mustEqual("ERR-01", "the error's operation", error.operation, operation, next);
        must(error.message.trim() !== "", "ERR-01", `${error.code} has no message`, "Say what happened to what.");
      }
    },
  },
  "errors.follow-the-code": {
    title: "has the category and retryability of its code",
    rules: ["ERR-02"],
    run: async (context) => {
      for (const { error } of await provoked(context)) {
        if (!isProviderError(error)) continue;
        const { category, retryable } = ERROR_CODES[error.code];
        const next = "Construct core's ProviderError and set nothing by hand.";
        mustEqual("ERR-02", `${error.code}'s category`, error.category, category, next);
        mustEqual("ERR-02", `${error.code}'s retryable`, error.retryable, retryable, next);
      }
    },
  },
  "errors.json": {
    title: "survives JSON with its message",
    rules: ["ERR-04"],
    run: async (context) => {
      for (const { error } of await provoked(context)) {
        const text = (await settled(async () => JSON.stringify(error))) as { readonly value?: string };
        const read: unknown = JSON.parse(text.value ?? "{}");
        const told = typeof read === "object" && read !== null ? Reflect.get(read, "message") : undefined;
        mustEqual("ERR-04", "the message in JSON", told, (error as Error).message, "Construct core's ProviderError.");
      }
    },
  },
  "errors.table": {
    title: "emits every row of its error table as it is written there",
    rules: ["ERR-03", "ERR-02"],
    needs: ["errorTable"],
    run: async ({ harness, afresh }) => {
      const rows = harness.errorTable ?? [];
      must(rows.length > 0, "ERR-03", "the error table is empty", "Hand the provider's whole table to the harness.");
      const ids = rows.map(({ id }) => id);
      const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
      mustEqual("ERR-03", "ids that stand twice in the table", twice, [], "Give each row an id of its own.");
      const wrong: string[] = [];
      for (const row of rows) {
        const problem = await afresh((context) => emitted(context, row)).catch(unemitted);
        if (problem !== null) wrong.push(`${row.id}: ${problem}`);
      }
      must(wrong.length === 0, "ERR-03", wrong.join("; "), "Make the table and the mapping one piece of data.");
    },
  },
};

/** What is wrong with a row; null if it is emitted as it is written. */
async function emitted(context: CaseContext, row: ErrorTableRow): Promise<string | null> {
  const call = await provocation(context, row);
  const outcome = await settled(call);
  if (outcome.ok) return "never emitted: the call resolved";
  const { error } = outcome;
  if (!isProviderError(error)) return `rejected with ${shown(error)}`;
  const told = [error.code, error.scope, error.effect];
  const written = [row.code, row.scope ?? ERROR_CODES[row.code].scope, row.effect];
  return told.join() === written.join() ? null : `it says ${told.join(", ")}, the table ${written.join(", ")}`;
}

/** A row that cannot be tried here is a row that is not emitted: it stands in the table for nothing. */
function unemitted(error: unknown): string {
  if (!(error instanceof NotApplicable)) throw error;
  return `never emitted: ${error.message}`;
}

async function provocation(context: CaseContext, row: ErrorTableRow): Promise<() => Promise<unknown>> {
  const { provoke } = row;
  if (provoke !== undefined) return () => provoke(context.provider);
  const prepare = OPERATIONS[row.operation];
  if (prepare === undefined) {
    const saw = `the row ${row.id} is of ${row.operation}, which the suite cannot call by itself`;
    throw new ConformanceFailure("ERR-03", saw, "Give the row a provoke.");
  }
  const call = await prepare(context);
  const when = row.effect === "none" ? "before" : "after";
  context.fault({ operation: row.operation, when, code: row.code, row: row.id, times: OFTEN });
  return call;
}

interface Provoked {
  readonly operation: string;
  readonly error: unknown;
}

/** Errors that every provider can be brought to: refusals, a conflict, and a remote that is down. */
async function provoked(context: CaseContext): Promise<readonly Provoked[]> {
  const { provider, subject, request, spawn, harness } = context;
  const found: Provoked[] = [];
  const provoke = async (operation: string, call: () => Promise<unknown>): Promise<void> => {
    const outcome = await settled(call);
    if (!outcome.ok) found.push({ operation, error: outcome.error });
  };
  // Callers without types may give anything.
  await provoke("spawn", () => subject.spawn(request({ key: "" })));
  await provoke("list", () => subject.list({ colour: "blue" } as never));
  await provoke("get", () => subject.get(7 as never));
  const options = request();
  await spawn(options);
  const other = await settled(async () => otherSpec(context));
  if (other.ok) await provoke("spawn", () => provider.spawn({ ...other.value, key: options.key }));
  for (const operation of ["list", "get", "spawn", "terminate"] as const) {
    const fault = { operation, when: "before", code: "UNAVAILABLE" } as const;
    if (harness.faults?.supports(fault) !== true) continue;
    const call = await OPERATIONS[operation]?.(context);
    context.fault({ ...fault, times: OFTEN });
    if (call !== undefined) await provoke(operation, call);
    harness.faults.clear();
  }
  if (found.length === 0) throw new NotApplicable("nothing could be brought to fail");
  return found;
}

/** For cases that look at the errors themselves. */
export async function provokedErrors(context: CaseContext): Promise<readonly ProviderError[]> {
  return (await provoked(context)).flatMap(({ error }) => (isProviderError(error) ? [error] : []));
}
