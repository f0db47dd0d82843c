/** How a call ended. The code is null where a signal ended the client. */
export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Thrown by a command: one line on stderr, nothing on stdout. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly answer: Answer;

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

export function printed(stdout: string): Answer {
  return { stdout, stderr: "", code: 0 };
}

/** What the commands that change something print is not known: nothing may be read there. */
export const SILENT: Answer = { stdout: "", stderr: "", code: 0 };
