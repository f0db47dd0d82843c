/** What the process answers to its caller. `exec`, `ssh` and `run` answer with the command's own code instead. */
export const EXIT: {
  readonly ok: 0;
  readonly failure: 1;
  readonly usage: 2;
  /** Of `run`, whatever it is that is not the command's: no other program uses it. */
  readonly notTheCommand: 125;
  readonly interrupted: 130;
} = { ok: 0, failure: 1, usage: 2, notTheCommand: 125, interrupted: 130 };
