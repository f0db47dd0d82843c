import { realpath, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { idMark } from "./environment.ts";
import { sandboxLayout } from "./layout.ts";
import { processState } from "./process-identity.ts";
import type { ProcessRow, ProcessTable } from "./process-table.ts";
import type { Sandbox } from "./sandbox.ts";
import { SandboxError } from "./sandbox-error.ts";
import { systemProcessTable } from "./system-process-table.ts";

const PATIENCE_MS = 5_000;

/**
 * Ends every process of a sandbox and verifies that none is left; resolves also if there was none. What it knows them
 * by: the process in the handle (if it is still the same one), the mark in the environment, output that goes to the
 * sandbox's log, the process group, and descent from any of these. Without bubblewrap, a process that has shed all of
 * them at once gets away. A start that is still under way ends itself. The directory stays. Throws SandboxError
 * `left-over` with the process ids.
 */
export async function endSandbox(
  sandbox: Pick<Sandbox, "id" | "directory"> & Partial<Pick<Sandbox, "process">>,
): Promise<void> {
  const table = systemProcessTable();
  await rm(sandboxLayout(sandbox.directory).attempt, { force: true });
  const known = sandbox.process;
  const first = known !== undefined && (await processState(known, table)) === "alive" ? [known.pid] : [];
  const marks = { id: sandbox.id, log: await logOf(sandbox.directory) };
  let left = await treeOf(marks, first, table);
  const started = performance.now();
  for (let round = 0; left.length > 0; round++) {
    if (performance.now() - started > PATIENCE_MS) {
      throw new SandboxError("left-over", `processes of sandbox ${sandbox.id} did not end: ${left.join(", ")}`);
    }
    for (const pid of left) kill(pid);
    await pause(Math.min(2 ** round, 50));
    left = await treeOf(marks, await stillThere(left, table), table);
  }
}

interface Marks {
  readonly id: string;
  readonly log: string;
}

/** As the process table names it. */
async function logOf(directory: string): Promise<string> {
  return sandboxLayout(await realpath(directory).catch(() => directory)).log;
}

/** The processes that bear a mark, those that were known, the members of their groups, and all that descend from them. */
async function treeOf({ id, log }: Marks, known: readonly number[], table: ProcessTable): Promise<readonly number[]> {
  const marked = await table.withEnvironment([idMark(id)]);
  const roots = [...new Set([...marked, ...(await table.writingTo(log)), ...known])];
  if (roots.length === 0) return [];
  const rows = (await table.rows()).filter((row) => !row.zombie);
  const led = new Set(rows.filter((row) => roots.includes(row.pid) && row.group === row.pid).map((row) => row.group));
  const tree = new Set<number>(roots);
  for (const row of rows) if (led.has(row.group)) tree.add(row.pid);
  addDescendants(tree, rows);
  // A program in the tree may itself be ending sandboxes; it ends last, with the caller's own return.
  tree.delete(process.pid);
  return [...tree].filter((pid) => rows.some((row) => row.pid === pid));
}

function addDescendants(tree: Set<number>, rows: readonly ProcessRow[]): void {
  for (let before = -1; before !== tree.size; ) {
    before = tree.size;
    for (const row of rows) if (tree.has(row.parent)) tree.add(row.pid);
  }
}

async function stillThere(pids: readonly number[], table: ProcessTable): Promise<readonly number[]> {
  const there = new Set((await table.rows()).filter((row) => !row.zombie).map((row) => row.pid));
  return pids.filter((pid) => there.has(pid));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
