import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProviderError } from "@slipway/core";
import type { Call } from "../call.ts";
import type { OrbstackContext } from "../context.ts";
import { PROVIDER } from "../errors.ts";
import { type SnapshotTag, snapshotTagPath } from "../tags.ts";
import type { WireMachine } from "../wire.ts";

const INSIDE_MS = 30_000;
const WRITE: string = [
  "umask 022",
  'mkdir -p "${1%/*}" || exit 73',
  'cat >"$1.new-$$" || exit 74',
  'mv -f "$1.new-$$" "$1" || exit 73',
].join("\n");

/** Written into the instance before it is copied, since a copy cannot be written to without a start. It is small, and stays. */
export async function writeSnapshotTag(
  { client }: OrbstackContext,
  call: Call,
  { name, state }: WireMachine,
  tag: SnapshotTag,
): Promise<void> {
  const text = `${JSON.stringify(tag)}\n`;
  const path = snapshotTagPath(tag.name);
  if (state !== "running") return await pushed(text, (source) => client.push(call, name, source, path));
  const { exitCode, stderr } = await client.run(call, name, ["/bin/sh", "-c", WRITE, "slipway-tag", path], {
    stdin: text,
    timeoutMs: INSIDE_MS,
    // A file of ours in a machine of ours: nothing that anybody sees was made.
    reads: true,
  });
  if (exitCode === 0) return;
  throw new ProviderError("UNAVAILABLE", {
    message: `${name} could not be tagged before its copy (exit code ${exitCode}): ${stderr.trim().slice(0, 200)}`,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
  });
}

async function pushed(text: string, push: (source: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-tag-"));
  try {
    const source = join(folder, "tag.json");
    writeFileSync(source, text, { mode: 0o644 });
    await push(source);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
