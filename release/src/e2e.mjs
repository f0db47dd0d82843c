#!/usr/bin/env node
// What a third party does with what we publish, from a registry of this machine and in empty folders. Expects the packages to
// be built. `node src/e2e.mjs [--only <name>] [--keep]`; the last line is `slipway e2e: N passed, N failed`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createProvider } from "./e2e/create-provider.mjs";
import { firstHour } from "./e2e/first-hour.mjs";
import { thirdParty } from "./e2e/third-party.mjs";
import { startRegistry } from "./local-registry.mjs";
import { Report } from "./report.mjs";
import { WorkspaceCopy } from "./workspace-copy.mjs";

const STORIES = { "create-provider": createProvider, "third-party": thirdParty, "first-hour": firstHour };

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const place = mkdtempSync(path.join(tmpdir(), "slipway-e2e-"));
const report = new Report("e2e");
const at = process.argv.indexOf("--only");
const only = at === -1 ? undefined : process.argv[at + 1];
let registry;

try {
  registry = await startRegistry(place);
  const workspace = new WorkspaceCopy(root, path.join(place, "workspace"));
  workspace.publish(registry.env);
  const world = { root, place, env: { ...process.env, ...registry.env }, report };
  for (const [name, story] of Object.entries(STORIES)) if (only === undefined || only === name) await story(world);
} catch (error) {
  report.failed("set-up", error);
} finally {
  registry?.close();
  if (process.argv.includes("--keep")) console.log(`kept ${place}`);
  else rmSync(place, { recursive: true, force: true });
}
process.exitCode = report.end();
