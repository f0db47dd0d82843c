/** What the process answers to its caller. `exec` and `ssh` answer with the command's own code instead. */
export const EXIT: {
  readonly ok: 0;
  readonly failure: 1;
  readonly usage: 2;
  readonly interrupted: 130;
} = { ok: 0, failure: 1, usage: 2, interrupted: 130 };
