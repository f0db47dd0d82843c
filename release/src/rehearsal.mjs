#!/usr/bin/env node
// A release, played to the end on a registry of this machine: everything is published, one provider is installed alone,
// one provider gets a patch, and old and new cores meet. Expects the packages to be built.
// `node src/rehearsal.mjs [--keep]`; the last line is `slipway rehearsal: N passed, N failed`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checks } from "./checks.mjs";
import { startRegistry } from "./local-registry.mjs";
import { WorkspaceCopy } from "./workspace-copy.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const place = mkdtempSync(path.join(tmpdir(), "slipway-registry-"));
let passed = 0;
let failed = 0;
let registry;

try {
  registry = await startRegistry(place);
  const world = { place, env: registry.env, workspace: new WorkspaceCopy(root, path.join(place, "workspace")) };
  // In their order: each stands on what the one before it has released.
  for (const { title, check } of checks) {
    try {
      const said = check(world);
      passed += 1;
      console.log(`ok      ${title}${said === undefined ? "" : `: ${said}`}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${title}\n${error.message}`);
    }
  }
} catch (error) {
  failed += 1;
  console.log(`FAILED  set-up\n${error.stack}`);
} finally {
  registry?.close();
  if (process.argv.includes("--keep")) console.log(`kept ${place}`);
  else rmSync(place, { recursive: true, force: true });
}
console.log(`slipway rehearsal: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
