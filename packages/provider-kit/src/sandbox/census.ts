import { ID_VARIABLE } from "./environment.ts";
import { systemProcessTable } from "./process-identity.ts";
import type { ProcessSight } from "./ps-process-table.ts";

/** The processes of this machine at one moment, by what an end looks for. Zombies are not in it. */
export interface Census {
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
