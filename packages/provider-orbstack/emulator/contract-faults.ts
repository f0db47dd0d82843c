import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import { orbstackErrorTable } from "../src/errors.ts";
import { fixtureOf, orbctlFixtures } from "./fixtures.ts";

/** The subcommand that does the work of a contract's method. */
const COMMANDS: Readonly<Record<string, string>> = {
  spawn: "create",
  terminate: "delete",
  get: "info",
  list: "list",
  exec: "run",
  createSnapshot: "clone",
  deleteSnapshot: "delete",
  getSnapshotStatus: "info",
  onStartup: "status",
};

/** Under which names a fault may wait for this call: the contract's method first, then the subcommand. */
function operationsOf(argv: readonly string[]): readonly string[] {
  const [command = "", ...rest] = argv;
  const ofSnapshot = rest.some((word) => word.startsWith("snap-"));
  const method = ofSnapshot ? SNAPSHOT_METHODS[command] : METHODS[command];
  return method === undefined ? [command] : [method, command];
}

const METHODS: Readonly<Record<string, string>> = {
  create: "spawn",
  stop: "terminate",
  delete: "terminate",
  info: "get",
  list: "list",
  run: "exec",
  status: "onStartup",
};
const SNAPSHOT_METHODS: Readonly<Record<string, string>> = {
  clone: "createSnapshot",
  delete: "deleteSnapshot",
  info: "getSnapshotStatus",
};

/**
 * Can a fault stand there as `orbctl` would show it?
 *
 * @example
 * ```ts
 * canPlace({ operation: "spawn", when: "before" });
 * ```
 */
export function canPlace({ operation, when, code }: Pick<Fault, "operation" | "when" | "code">): boolean {
  const command = COMMANDS[operation];
  if (command === undefined || when === "stale-read") return false;
  return code === undefined || when === "reply-lost" || when === "delayed" || rowsOf(command, when, code).length > 0;
}

/** Whatever was asked. */
const ANYWHERE: ReadonlySet<string> = new Set(["services-late"]);

/** Rows that a subcommand says before its effect, or after it. */
function rowsOf(command: string, when: Fault["when"], code: string): readonly string[] {
  const isSaid = (id: string): boolean =>
    ANYWHERE.has(id) || orbctlFixtures.some((each) => each.row === id && each.command === command);
  const known = orbstackErrorTable
    .filter((row) => row.code === code && isSaid(row.id) && (when === "before") === (row.effect === "none"))
    .map(({ id }) => id);
  return code === "INTERNAL" && when === "after" ? [...known, "unknown"] : known;
}

/** What the fault says instead of the answer. */
export function wordsOf({ row, when, code = "INTERNAL" }: Fault, command: string): { stderr: string; code: number } {
  const id = row ?? rowsOf(command, when, code)[0] ?? "unknown";
  const found = fixtureOf(id, command);
  return { stderr: found?.stderr ?? "[-32098] something that nobody has seen\n", code: found?.exitCode ?? 1 };
}

export function takeContractFault(faults: FaultScript | undefined, argv: readonly string[]): Fault | undefined {
  return faults?.take(operationsOf(argv), "before", "after", "reply-lost", "delayed");
}
