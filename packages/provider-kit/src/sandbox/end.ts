import { realpath, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type Census, nextCensus } from "./census.ts";
import type { Sandbox } from "./isolation.ts";
import { SandboxError, sandboxLayout } from "./layout.ts";
import { processState } from "./process-identity.ts";

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
