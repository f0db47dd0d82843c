// Runs "$@" and says its exit code on stderr, after all that it printed there. A shell of its own, which signals to the whole
// step do not end: it says nothing itself, and takes no builtin for a program.
const SCRIPT = [
  "trap : HUP INT QUIT ALRM TERM USR1 USR2",
  "exec 3>&2 2>/dev/null",
  'case "$1" in */*) [ -f "$1" ] && [ -x "$1" ] ;; *) command -v "$1" >/dev/null ;; esac || { echo "$0:none" >&3; exit 0; }',
  '(exec "$@" 2>&3 3>&-)',
  'echo "$0:$?" >&3',
  "exit 0",
].join("\n");

const SRUN_LINE = /^(srun|slurmstepd(-\S+)?): /;

/** How a command ended, as it was said on stderr. */
export interface SaidEnd {
  /** Undefined: nothing was said, so srun or the step has failed. */
  readonly exitCode: number | undefined;
  /** There is no program of the name. */
  readonly isMissing: boolean;
  /** Without what was said, and without Slurm's own lines. */
  readonly stderr: string;
  /** Slurm's own lines. */
  readonly slurm: string;
}

/**
 * A command as a step of a job. Slurm's own exit code is not enough: where a signal ends a task, srun drops what the task had
 * printed just before, and it says how a task ended in the middle of the line that the task has begun.
 */
export class StepCommand {
  readonly argv: readonly string[];
  readonly #said: RegExp;

  constructor(argv: readonly string[]) {
    const nonce = crypto.randomUUID();
    this.argv = ["/bin/sh", "-c", SCRIPT, nonce, ...argv];
    this.#said = new RegExp(`${nonce}:(\\d+|none)\\n`);
  }

  endOf(stderr: string): SaidEnd {
    const [, code] = this.#said.exec(stderr) ?? [];
    const lines = stderr.replace(this.#said, "").split("\n");
    return {
      exitCode: code === undefined || code === "none" ? undefined : Number(code),
      isMissing: code === "none",
      stderr: lines.filter((line) => !SRUN_LINE.test(line)).join("\n"),
      slurm: lines.filter((line) => SRUN_LINE.test(line)).join("\n"),
    };
  }

  /** Gives the listener the same of a stream: whole lines, and what is left at the end. */
  linesTo(listener: (chunk: string) => void): { readonly write: (chunk: string) => void; readonly end: () => void } {
    let rest = "";
    return {
      write: (chunk) => {
        const lines = (rest + chunk).replace(this.#said, "").split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (!SRUN_LINE.test(line)) listener(`${line}\n`);
      },
      end: () => {
        if (rest !== "" && !SRUN_LINE.test(rest)) listener(rest);
      },
    };
  }
}
