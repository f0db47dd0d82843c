#!/usr/bin/env node
// The packages as a third party gets them: packed, installed into empty folders, and used. Expects the packages to be built.
// `node tools/consumers.mjs [--keep]`; the last line is `consumers: N passed, N failed`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkCommand, checkLoads, checkProvider } from "./consumers/checks.mjs";
import { Report } from "./consumers/report.mjs";
import { packAll } from "./consumers/tarballs.mjs";
import { findToolchains } from "./consumers/toolchains.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const place = mkdtempSync(path.join(tmpdir(), "slipway-consumers-"));
const report = new Report();

try {
  const tarballs = packAll(root, path.join(place, "tarballs"));
  console.log(`packed ${tarballs.length}: ${tarballs.map(({ name, version }) => `${name} ${version}`).join(", ")}`);
  const toolchains = findToolchains(root, place);
  const world = { place, tarballs, toolchains, report };
  for (const tarball of tarballs) {
    if (tarball.manifest.slipway) checkProvider(tarball, world);
    else checkLoads(tarball, world);
    if (tarball.manifest.bin) checkCommand(tarball, world);
  }
} catch (error) {
  report.failed("set-up", error.message);
} finally {
  if (process.argv.includes("--keep")) console.log(`kept ${place}`);
  else rmSync(place, { recursive: true, force: true });
}
process.exitCode = report.end();
