import type { Run } from "./run.ts";

/** Where what must not fail is run: its first failure ends everything, and nobody in the workflow can catch it. */
export function haltable(): { readonly halted: Promise<never>; readonly mustWork: Run["mustWork"] } {
  let halt: (error: unknown) => void = () => undefined;
  const halted = new Promise<never>((_resolve, reject) => {
    halt = reject;
  });
  // Raced with the run, which may have ended before anything fails.
  halted.catch(() => undefined);
  const never = new Promise<never>(() => undefined);
  let over = false;
  const mustWork = async (work: () => void | Promise<void>): Promise<void> => {
    if (over) return never;
    try {
      await work();
    } catch (error) {
      over = true;
      halt(error);
      return never;
    }
    if (over) return never;
  };
  return { halted, mustWork };
}
