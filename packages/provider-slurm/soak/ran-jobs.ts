import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Notes what is wrong with a round. */
export type Fail = (message: string) => void;

const PATIENCE_MS = 60_000;

/** Exactly one job ran: each writes its number into the file of its key. */
export async function expectRan(file: string, winner: string, fail: Fail, mayForget: boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const ran = linesOf(file);
    if (ran.includes(winner)) {
      if (ran.length !== 1 && !mayForget) fail(`jobs ${ran.join(", ")} ran`);
      return;
    }
    if (Date.now() > end) return fail(`job ${winner} did not run; ran: ${ran.join(", ")}`);
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
