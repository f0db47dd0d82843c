#!/usr/bin/env node
// A release, run to the end on a registry of this machine: everything is published, one provider is installed alone,
// one provider gets a patch, and old and new cores meet. Expects the packages to be built.
// `node src/rehearsal.mjs [--keep]`; the last line is `slipway rehearsal: N passed, N failed`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checks } from "./checks.mjs";
import { startRegistry } from "./local-registry.mjs";
import { Report } from "./report.mjs";
import { WorkspaceCopy } from "./workspace-copy.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const place = mkdtempSync(path.join(tmpdir(), "slipway-registry-"));
const report = new Report("rehearsal");
let registry;

try {
  registry = await startRegistry(place);
  const world = { place, env: registry.env, workspace: new WorkspaceCopy(root, path.join(place, "workspace")) };
  // In their order: each stands on what the one before it has released.
  for (const { title, check } of checks) await report.check(title, () => check(world));
} catch (error) {
  report.failed("set-up", error);
} finally {
  registry?.close();
  if (process.argv.includes("--keep")) console.log(`kept ${place}`);
  else rmSync(place, { recursive: true, force: true });
}
process.exitCode = report.end();
