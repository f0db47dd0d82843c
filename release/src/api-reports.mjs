#!/usr/bin/env node
// The public API of every published package as text, in api/: whoever changes it sees it in the diff, and so does whoever
// reviews it. `--update` writes the texts anew; without it a difference fails. Expects the packages to be built.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { publishedPackages } from "./packages.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const kept = path.join(root, "release", "api");
const update = process.argv.includes("--update");

/** One text for each entry point: `core.api.md`, `provider-kit.http.api.md`. */
function entryPoints() {
  return publishedPackages(root).flatMap(({ folder, manifest }) =>
    Object.entries(manifest.publishConfig.exports).flatMap(([subpath, target]) => {
      if (typeof target !== "object" || target.types === undefined) return [];
      const name = [path.basename(folder), ...subpath.split("/").slice(1)].join(".");
      return [{ folder, types: path.join(folder, target.types), file: `${name}.api.md` }];
    }),
  );
}

function extract({ folder, types, file }, into) {
  const report = { logLevel: ExtractorLogLevel.None };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      compiler: { overrideTsconfig: { compilerOptions, include: [types] } },
      apiReport: { enabled: true, reportFileName: file, reportFolder: into, reportTempFolder: path.join(into, "temp") },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: report },
        tsdocMessageReporting: { default: report },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: path.join(folder, "package.json"),
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => tell(message, file),
  });
  if (!succeeded) throw new Error(`${file}: the types cannot be read`);
  return readFileSync(path.join(into, file), "utf8").replaceAll("\r\n", "\n");
}

const compilerOptions = {
  module: "nodenext",
  moduleResolution: "nodenext",
  target: "es2023",
  lib: ["es2024", "dom", "dom.iterable"],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: ["node"],
  typeRoots: [path.join(root, "node_modules", "@types")],
};

/** What is written is wanted; what is wrong is thrown by `extract`. */
function tell(message, file) {
  message.handled = true;
  if (message.logLevel === ExtractorLogLevel.Error) console.error(`${file}: ${message.text}`);
}

const into = mkdtempSync(path.join(tmpdir(), "slipway-api-"));
try {
  const found = entryPoints();
  mkdirSync(kept, { recursive: true });
  const before = new Map(readdirSync(kept).map((file) => [file, readFileSync(path.join(kept, file), "utf8")]));
  const now = new Map(found.map((entry) => [entry.file, extract(entry, into)]));
  const changed = [...now].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
  const gone = [...before.keys()].filter((file) => !now.has(file));
  if (update) {
    for (const file of changed) writeFileSync(path.join(kept, file), now.get(file));
    for (const file of gone) rmSync(path.join(kept, file));
    console.log(`api: wrote ${changed.length}, removed ${gone.length} of ${now.size} texts`);
  } else {
    for (const file of changed) console.error(`release/api/${file} is not what the package exports`);
    for (const file of gone) console.error(`release/api/${file}: nothing exports this any more`);
    const failed = changed.length + gone.length;
    if (failed > 0) console.error("Look at what `npm run api -- --update` changes, and commit it with its reason.");
    console.log(`slipway api: ${now.size - changed.length} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
} finally {
  rmSync(into, { recursive: true, force: true });
}
