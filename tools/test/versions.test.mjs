import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { wrongVersions } from "../versions.mjs";

test("every provider names the version of its package to its remote", () => {
  assert.deepEqual(wrongVersions(path.resolve(import.meta.dirname, "..", "..")), []);
});

test("a version that was raised is found, and written", (context) => {
  const root = mkdtempSync(path.join(tmpdir(), "slipway-versions-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const source = path.join(root, "packages", "acme", "src");
  mkdirSync(source, { recursive: true });
  writeFileSync(path.join(root, "packages", "acme", "package.json"), JSON.stringify({ version: "2.0.1" }));
  writeFileSync(path.join(source, "package-version.ts"), 'export const VERSION = "2.0.0";\n');
  assert.deepEqual(wrongVersions(root), [path.join("packages", "acme", "src", "package-version.ts")]);
  assert.deepEqual(wrongVersions(root, { write: true }), []);
  assert.deepEqual(wrongVersions(root), []);
  assert.match(readFileSync(path.join(source, "package-version.ts"), "utf8"), /VERSION = "2\.0\.1"/);
});

test("the command's README says which Node its package needs", () => {
  const command = path.resolve(import.meta.dirname, "..", "..", "packages", "cli");
  const { engines } = JSON.parse(readFileSync(path.join(command, "package.json"), "utf8"));
  const needed = engines.node.replace(">=", "");
  assert.ok(readFileSync(path.join(command, "README.md"), "utf8").includes(`Node ${needed} or newer`));
});
