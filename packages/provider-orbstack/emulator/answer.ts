import type { ProgramAnswer } from "@slipway/provider-kit/command";

/** Thrown by a command: one line on stderr, nothing on stdout. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly answer: ProgramAnswer;

  constructor(said: string, code = 1) {
    super(said);
    this.answer = { stdout: "", stderr: `${said}\n`, code };
  }
}

/** As the daemon refuses: an application error of its RPC. */
export function daemonRefusal(said: string): Refusal {
  return new Refusal(`[-32098] ${said}`);
}

export function notFound(selector: string): Refusal {
  return daemonRefusal(`machine not found: '${selector}'`);
}

export function printed(stdout: string): ProgramAnswer {
  return { stdout, stderr: "", code: 0 };
}

/** What the commands that change something print is not known: nothing may be read there. */
export const SILENT: ProgramAnswer = { stdout: "", stderr: "", code: 0 };
