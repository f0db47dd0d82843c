import { writeSync } from "node:fs";

/** Where a test may let the process die as by `kill -9` in a removal, in its order. */
export type RemovalFailpoint = "before-end" | "after-end" | "after-rename";

/** The same in the order of a spawn. */
export type Failpoint = "before-intent" | "after-intent" | "after-sandbox" | "after-record" | "during-bootstrap";

export const FAILPOINTS: readonly Failpoint[] = [
  "before-intent",
  "after-intent",
  "after-sandbox",
  "after-record",
  "during-bootstrap",
];

/**
 * For tests. `SLIPWAY_LOCAL_FAILPOINT=after-intent` ends the process there, without any chance to clean up;
 * `SLIPWAY_LOCAL_FAILPOINT=trace` writes the name of each step to standard error as it is passed.
 */
export function failpoint(name: Failpoint | RemovalFailpoint): void {
  const wanted = process.env["SLIPWAY_LOCAL_FAILPOINT"];
  if (wanted === name) process.kill(process.pid, "SIGKILL");
  if (wanted === "trace") writeSync(2, `step ${name}\n`);
}

/** Is one of them set that lies in the bootstrap, which a spawn does not otherwise wait for? */
export function waitsForBootstrap(): boolean {
  const wanted = process.env["SLIPWAY_LOCAL_FAILPOINT"];
  return wanted === "during-bootstrap" || wanted === "trace";
}
