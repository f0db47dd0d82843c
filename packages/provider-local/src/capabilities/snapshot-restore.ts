import type { IsolationReport } from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf } from "../context.ts";
import { copyTree } from "../copy-tree.ts";
import { failure } from "../errors.ts";
import { contentOf } from "../state/state.ts";

/** Where the snapshot's copy lies, null if none was asked for. Throws NOT_FOUND or INVALID_STATE. */
export async function restorable({ state }: LocalContext, id: string | undefined): Promise<string | null> {
  if (id === undefined) return null;
  const name = nameOf(id);
  const record = name === null ? null : await state.snapshots.read(name, "spawn");
  if (name === null || record?.id !== id) {
    throw failure("unknown-snapshot", "spawn", `there is no snapshot ${JSON.stringify(id)}`);
  }
  if (record.status !== "available") {
    throw failure("snapshot-not-available", "spawn", `snapshot ${id} is not available`, { id });
  }
  return contentOf(state.snapshots, name);
}

/** Fills an instance's root with a snapshot's copy. Nothing changes either while it is copied. */
export function restore(
  source: string,
  root: string,
  { tools }: IsolationReport,
  signal: AbortSignal | undefined,
): Promise<void> {
  return copyTree(source, root, { operation: "spawn", signal, live: false, confinedBy: tools });
}
