import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Notes what is wrong with a round. */
export type Fail = (message: string) => void;

const PATIENCE_MS = 60_000;

/** Exactly one job ran: each writes its number into the file of its key. */
export async function expectMark(file: string, winner: string, fail: Fail, mayForget: boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const marks = linesOf(file);
    if (marks.includes(winner)) {
      if (marks.length !== 1 && !mayForget) fail(`jobs ${marks.join(", ")} ran`);
      return;
    }
    if (Date.now() > end) return fail(`job ${winner} did not run; ran: ${marks.join(", ")}`);
    await pause(50);
  }
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}
