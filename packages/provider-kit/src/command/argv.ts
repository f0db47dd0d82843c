import type { Operation } from "@slipway/core";
import type { Refusal } from "../errors/refusal.ts";

/** Throws INVALID_SPEC for what no system can start: nothing, and a word with a NUL. */
export function checkArgv(argv: readonly string[], operation: Operation, refuse: Refusal): void {
  if ((argv[0] ?? "") === "") throw refuse("INVALID_SPEC", operation, "argv names no program");
  if (argv.some((word) => word.includes("\0"))) throw refuse("INVALID_SPEC", operation, "argv holds a NUL");
}
