import { realpath, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Sandbox } from "./isolation.ts";
import { ID_VARIABLE, SandboxError, sandboxLayout } from "./layout.ts";
import { processState, systemProcessTable } from "./process-identity.ts";
import type { ProcessSight } from "./ps-process-table.ts";

const PATIENCE_MS = 5_000;

/**
 * Ends every process of a sandbox and verifies that none is left; resolves also if there was none. What it knows them
 * by: the process in the handle (if it is still the same one), the tag in the environment, output that goes to the
 * sandbox's log, the process group, and descent from any of these. Without bubblewrap, a process that has shed all of
 * them at once gets away. A start that is still under way ends itself. The directory stays. Throws SandboxError
 * `left-over` with the process ids.
 */
export async function endSandbox(
  sandbox: Pick<Sandbox, "id" | "directory"> & Partial<Pick<Sandbox, "process">>,
): Promise<void> {
  await rm(sandboxLayout(sandbox.directory).attempt, { force: true });
  const known = sandbox.process;
  const first = known !== undefined && (await processState(known)) === "alive" ? [known.pid] : [];
  const tags = { id: sandbox.id, log: await logOf(sandbox.directory) };
  let left = treeOf(tags, first, await nextCensus());
  const started = performance.now();
  for (let round = 0; left.length > 0; round++) {
    if (performance.now() - started > PATIENCE_MS) {
      throw new SandboxError("left-over", `processes of sandbox ${sandbox.id} did not end: ${left.join(", ")}`);
    }
    // Parents first: a shell that sees its program killed writes "Killed" into the instance's log.
    for (const pid of left) kill(pid);
    await pause(Math.min(2 ** round, 50));
    left = treeOf(tags, left, await nextCensus());
  }
}

interface Tags {
  readonly id: string;
  readonly log: string;
}

/** As the process table names it. */
async function logOf(directory: string): Promise<string> {
  return sandboxLayout(await realpath(directory).catch(() => directory)).log;
}

/** The processes that bear a tag, those that were known, the members of their groups, and all that descend from them. */
function treeOf({ id, log }: Tags, known: readonly number[], census: Census): readonly number[] {
  const tree = census.treeOf([...census.bearing(id), ...census.writingTo(log), ...known]);
  // A program in the tree may itself be ending sandboxes; it ends last, with the caller's own return.
  return [...tree].filter((pid) => pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The processes of this machine at one moment, by what an end looks for. Zombies are not in it. */
interface Census {
  /** Those that were started in the sandbox of this id. */
  readonly bearing: (id: string) => readonly number[];
  /** Those whose output goes to this file. */
  readonly writingTo: (path: string) => readonly number[];
  /**
   * Those of these that are there, the members of the groups that they lead, and all that descend from any of them. A parent
   * stands before its children.
   */
  readonly treeOf: (roots: readonly number[]) => ReadonlySet<number>;
}

let waiting: Promise<Census> | null = null;
let running: Promise<unknown> = Promise.resolve();

/**
 * A census that begins after this call. Calls that come before it has begun share it, so that many ends at once walk the
 * processes as often as one. One that has begun is never shared: what it read may be older than the caller's question.
 */
export function nextCensus(): Promise<Census> {
  if (waiting !== null) return waiting;
  const taken = running
    .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
    .then(() => {
      waiting = null;
      return takeCensus();
    });
  waiting = taken;
  running = taken.catch(() => undefined);
  return taken;
}

async function takeCensus(): Promise<Census> {
  const seen = (await systemProcessTable().everything(ID_VARIABLE)).filter((row) => !row.zombie);
  const rows = new Map(seen.map((row) => [row.pid, row]));
  const tags = grouped(seen, ({ tag }) => (tag === null ? [] : [tag]));
  const outputs = grouped(seen, (row) => row.outputs);
  const groups = grouped(seen, ({ group }) => [group]);
  const children = grouped(seen, ({ parent }) => [parent]);
  return {
    bearing: (id) => tags.get(id) ?? [],
    writingTo: (path) => outputs.get(path) ?? [],
    treeOf: (roots) => {
      const tree = new Set<number>();
      const open = roots.filter((pid) => rows.has(pid));
      for (const pid of [...open]) if (rows.get(pid)?.group === pid) open.push(...(groups.get(pid) ?? []));
      for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
        if (tree.has(pid)) continue;
        tree.add(pid);
        open.push(...(children.get(pid) ?? []));
      }
      const ordered = [...tree].filter((pid) => !tree.has(rows.get(pid)?.parent ?? 0));
      for (const pid of ordered) ordered.push(...(children.get(pid) ?? []));
      // Of those whose parents are no tree, since a number came again while they were read, the order does not matter.
      return new Set([...ordered, ...tree]);
    },
  };
}

function grouped<K>(
  rows: readonly ProcessSight[],
  keysOf: (row: ProcessSight) => readonly K[],
): ReadonlyMap<K, readonly number[]> {
  const groups = new Map<K, number[]>();
  for (const row of rows) {
    for (const key of new Set(keysOf(row))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [row.pid]);
      else group.push(row.pid);
    }
  }
  return groups;
}
