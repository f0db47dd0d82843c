import type { CommanderError } from "commander";
import { CliError, type CliErrorCode } from "./cli-error.ts";

const CODES: Readonly<Record<string, CliErrorCode>> = {
  "commander.unknownOption": "UNKNOWN_OPTION",
  "commander.unknownCommand": "UNKNOWN_COMMAND",
  "commander.missingArgument": "MISSING_ARGUMENT",
  "commander.optionMissingArgument": "MISSING_ARGUMENT",
  "commander.missingMandatoryOptionValue": "MISSING_ARGUMENT",
  "commander.excessArguments": "UNEXPECTED_ARGUMENT",
  "commander.help": "MISSING_ARGUMENT",
};

/** What commander says about a wrong line, in the form of every other error. */
export function usageError(error: CommanderError, argv: readonly string[]): CliError {
  const [sentence = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const text = error.code === "commander.help" ? "a subcommand is missing" : sentence;
  const command = argv[0] === undefined || argv[0].startsWith("-") ? "" : ` ${argv[0]}`;
  const meant = suggestion === undefined ? "" : `${suggestion.replace(/^\((.*)\)$/, "$1")} `;
  return new CliError(
    CODES[error.code] ?? "INVALID_ARGUMENT",
    redactValue(error.code, text),
    `${meant}\`slipway${command} --help\` shows what it takes.`,
  );
}

/** A wrong value is not repeated: it may be a secret that was given to the wrong option. */
function redactValue(code: string, sentence: string): string {
  return code === "commander.invalidArgument" ? sentence.replace(/ argument '[\s\S]*' is invalid\./, ":") : sentence;
}
