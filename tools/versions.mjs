#!/usr/bin/env node
// A provider names its version to its remote. It stands in the package's src/package-version.ts, so that a bundler finds it; here it
// is written there from package.json, when a release is made. Without --write it is only compared.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The files that do not hold their package's version. @returns paths from the root. */
export function wrongVersions(root, { write = false } = {}) {
  const wrong = [];
  for (const name of readdirSync(path.join(root, "packages")).sort()) {
    const file = path.join("packages", name, "src", "package-version.ts");
    const place = path.join(root, file);
    if (!existsSync(place)) continue;
    const { version } = JSON.parse(readFileSync(path.join(root, "packages", name, "package.json"), "utf8"));
    const wanted = `// Written from package.json by tools/versions.mjs when a release is made.\nexport const VERSION = "${version}";\n`;
    if (readFileSync(place, "utf8") === wanted) continue;
    if (write) writeFileSync(place, wanted);
    else wrong.push(file);
  }
  return wrong;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
  const wrong = wrongVersions(root, { write: process.argv.includes("--write") });
  for (const file of wrong)
    console.log(`${file}: is not the version of its package; run node tools/versions.mjs --write`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
