import { type ErrorCode, type ErrorEffect, type ErrorScope, type Operation, ProviderError } from "@slipway/core";
import { redact } from "../redact.ts";
import { spokenWords } from "./command-error.ts";

/** What a command says, and what the user gets. The first row that fits counts, so the specific ones come first. */
export interface CommandErrorRow {
  /** Unique; stands in `error.native.code`. */
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  /** Matched with all of stderr. */
  readonly says: RegExp;
  /** Only with this exit code; any but 0 if absent. */
  readonly exitCode?: number;
  /** Only for these verbs. */
  readonly verbs?: readonly string[];
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a command that writes; one that reads never has an effect. */
  readonly effect: ErrorEffect;
  readonly hint?: string;
}

/** What an ended command said. */
export interface CommandAnswer {
  /** The subcommand, as the message names it. */
  readonly verb: string;
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stderr: string;
}

export interface AnsweredContext {
  readonly operation: Operation;
  /** False for a command that only reads: then nothing can have an effect. */
  readonly writes: boolean;
  readonly secrets?: readonly string[] | undefined;
}

export interface CommandErrorTableOptions {
  readonly provider: string;
  /** The command's name, as the message begins with it. */
  readonly program: string;
  readonly rows: readonly CommandErrorRow[];
  /** The command's own sentence in what it wrote to stderr: without a usage text or an update notice. */
  readonly sentenceIn: (stderr: string) => string;
}

export interface CommandErrorTable {
  /** Undefined for unknown words. */
  readonly rowOf: (answer: Omit<CommandAnswer, "exitCode"> & Partial<CommandAnswer>) => CommandErrorRow | undefined;
  /** The error of a command that ended with anything but 0. Unknown words are INTERNAL, and of unknown effect. */
  readonly answeredError: (answer: CommandAnswer, context: AnsweredContext) => ProviderError;
}

/**
 * The errors of a command over a table of what it says.
 *
 * @example
 * ```ts
 * const { answeredError } = commandErrorTable({ provider: "example", program: "examplectl", rows, sentenceIn: (text) => text });
 * throw answeredError({ verb: "create", ...result }, { operation: "spawn", writes: true });
 * ```
 */
export function commandErrorTable({
  provider,
  program,
  rows,
  sentenceIn,
}: CommandErrorTableOptions): CommandErrorTable {
  const rowOf: CommandErrorTable["rowOf"] = ({ verb, exitCode, stderr }) =>
    rows.find(
      (row) =>
        (row.exitCode === undefined || row.exitCode === exitCode) &&
        row.verbs?.includes(verb) !== false &&
        row.says.test(stderr),
    );
  return {
    rowOf,
    answeredError: (answer, { operation, writes, secrets = [] }) => {
      const { verb, exitCode } = answer;
      const row = rowOf(answer);
      // First: a secret may have several lines, or stand at the cut, and would not be known any more.
      const said = spokenWords(sentenceIn(redact(answer.stderr, secrets)), exitCode);
      return new ProviderError(row?.code ?? "INTERNAL", {
        message: `${program} ${verb}: ${said}`,
        provider,
        operation,
        effect: writes ? (row?.effect ?? "unknown") : "none",
        scope: row?.scope,
        hint: row?.hint,
        native: { ...(exitCode === null ? {} : { status: exitCode }), code: row?.id ?? "unknown" },
      });
    },
  };
}
