import { expect, it } from "vitest";
import { COMMANDS } from "../src/command-table.ts";
import { commandLine } from "./command-line.ts";

const WORDS = [
  ...[
    "create",
    "delete",
    "status",
    "list",
    "warm",
    "claim",
    "request",
    "cancel",
    "prices",
    "render",
    "--",
    "-",
    "",
    "x",
  ],
  ...[
    "--json",
    "--verbose",
    "--all",
    "--yes",
    "--apply",
    "--confirm",
    "--dry-run",
    "--spent",
    "--help",
    "-V",
    "-i",
    "-y",
  ],
  ...["--key", "--ttl", "--gpu", "--gpu=", "--spot", "--spot=", "--file", "--env", "--label", "--region", "--volume"],
  ...[
    "--port",
    "--provider",
    "--for",
    "--owner",
    "--bootstrap",
    "--env-file",
    "--ssh-key",
    "--from",
    "--size",
    "--pool",
  ],
  ...["--timeout", "--format", "--only", "--mode", "--zone", "--network", "--isolated", "--markdown", "--group-by"],
  ...["a", "i-1", "-1", "1s", "2h", "1G", "80", "v:/x", "a=b", "=", "local", "json", "day", "plain", "2026-01-01", "*"],
  ...["\u0000", "💥", "%s", "__proto__", "constructor", "../..", "x".repeat(300)],
];

it("any words end in an exit code that is documented, and in no fault of the command's own", async () => {
  const line = commandLine();
  const names = [...COMMANDS.map(({ name }) => name), "help"];
  const random = randomFrom(20_260_131);
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "";
  for (let round = 0; round < 1500; round += 1) {
    const args = [pick(names), ...Array.from({ length: Math.floor(random() * 6) }, () => pick(WORDS))];
    const run = await line.slipway(args, { input: "in" });
    // `exec` answers with the exit code of the command inside, which the fake reads from its first argument.
    const codes = args[0] === "run" ? [0, 125] : [0, 1, 2];
    const known = args[0] === "exec" || codes.includes(run.exitCode);
    expect({ args, known, stderr: run.stderr }).toMatchObject({ known: true });
    expect({ args, stderr: run.stderr }).not.toMatchObject({ stderr: expect.stringMatching(/INTERNAL|undefined/) });
  }
});

/** Numbers from 0 to 1, the same ones for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
