import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** A shell that a machine may have as `/bin/sh`, with the words that come first. */
export interface Shell {
  readonly file: string;
  readonly first: readonly string[];
}

const SHELLS: readonly (readonly [string, Shell])[] = [
  ["dash", { file: "dash", first: [] }],
  ["bash", { file: "bash", first: [] }],
  ["busybox sh", { file: "busybox", first: ["sh"] }],
];

/** A block for each of them. One that is not installed is skipped and named so; with `SLIPWAY_REQUIRE_TOOLS=1` it is a failure. */
export function describeShells(title: string, tests: (shell: Shell) => void): void {
  for (const [name, shell] of SHELLS) {
    const isMissing = spawnSync(shell.file, [...shell.first, "-c", ":"]).error !== undefined;
    if (isMissing && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(`${shell.file} is not installed`);
    const missing = isMissing ? ` (${shell.file} is not installed)` : "";
    describe.skipIf(isMissing)(`${title} ${name}${missing}`, () => tests(shell));
  }
}
