import type { ProgramAnswer } from "@slipway/provider-kit/command";

/** Thrown by a command: the answer is its stderr and its exit code. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly answer: ProgramAnswer;

  constructor(said: string, code = 1, stdout = "") {
    super(said);
    this.answer = { stdout, stderr: `Error: ${said}\n`, code };
  }
}

/** As the parser of its arguments refuses: exit 64 and how it is used. */
export function usageRefusal(verb: string, said: string): Refusal {
  return new Refusal(
    `${said}\nUsage: container ${verb} [<options>]\n  See 'container ${verb} --help' for more information.`,
    64,
  );
}

export function printed(stdout: string): ProgramAnswer {
  return { stdout, stderr: "", code: 0 };
}

/** One line for each. */
export function lines(...words: readonly string[]): ProgramAnswer {
  return printed(words.map((word) => `${word}\n`).join(""));
}

const START = "Ensure container system service has been started with `container system start`.";

/** What each verb says where the service cannot be reached. */
export function serviceDown(verb: string, how: "Connection invalid" | "Connection interrupted"): Refusal {
  const inner = `interrupted: "XPC connection error: ${how}"`;
  const wrapped: Readonly<Record<string, string>> = {
    list: "failed to list containers",
    inspect: "failed to list containers",
    exec: "failed to get container",
    start: "failed to get container",
    stop: "failed to stop container",
    kill: "failed to kill container",
    delete: "failed to delete container",
  };
  const outer = wrapped[verb];
  const said = outer === undefined ? inner : `internalError: "${outer}" (cause: "${inner}")`;
  return new Refusal(`${said}\n${START}`);
}

/** `stop`, `kill` and `delete` wrap every failure, also a single one. */
export function aggregated(verb: string, code: string, said: string): string {
  return `internalError: "failed to ${verb} container" (cause: "${code}: "${said}"")`;
}
