#!/usr/bin/env node
// The size of the house, by counting it: lines and files of each package, the longest rows of imports, and what one launch
// enters. npm run house [-- --files] also prints the names of the files that a launch enters.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { longestChain } from "./structure/chains.mjs";
import { Tree } from "./structure/tree.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
/** Packages that came after the count which the limits are for. */
const NEW = /^(?:provider-(?:slurm|kubernetes|coreweave|gcp)|reach|otel|store-postgres|workflow-.+)$/;
const LIMITS = { files: 480, lines: 58_000 };
const SMALL = 40;

const tree = new Tree(root);
const members = tree.packages.filter(({ folder }) => folder.startsWith("packages/"));
const rows = members.map((member) => {
  const name = member.folder.slice("packages/".length);
  const src = tree.under(`${member.folder}/src`);
  // The emulators' parts that providers share stand in provider-kit.
  const emulators = src.filter((file) => file.includes("/src/emulator/"));
  const own = src.filter((file) => !emulators.includes(file));
  const all = [...src, ...tree.under(`${member.folder}/emulator`)];
  return {
    name,
    isNew: NEW.test(name),
    files: own.length,
    lines: linesOf(own),
    allFiles: all.length,
    allLines: linesOf(all),
    small: own.filter((file) => linesOf([file]) <= SMALL).length,
    chain: longestChain(tree, member).length,
  };
});

/** Lines as they stand in the files, comments and blank ones included. */
function linesOf(files) {
  return files.reduce((sum, file) => sum + tree.text(file).split("\n").length - 1, 0);
}

function sumOf(some) {
  const sum = (key) => some.reduce((total, row) => total + row[key], 0);
  return {
    files: sum("files"),
    lines: sum("lines"),
    allFiles: sum("allFiles"),
    allLines: sum("allLines"),
    small: sum("small"),
    chain: Math.max(...some.map(({ chain }) => chain)),
  };
}

function print(name, { files, lines, allFiles, allLines, small, chain }) {
  const cells = [files, lines, allFiles, allLines, small, chain].map((cell) => String(cell).padStart(9));
  console.log(`${name.padEnd(26)}${cells.join("")}`);
}

console.log(`${"".padEnd(26)}    src          with emulators     src of ${SMALL}  longest`);
console.log(`${"package".padEnd(26)}    files    lines    files    lines  or less    chain`);
for (const row of rows) print(row.name, row);
const before = sumOf(rows.filter(({ isNew }) => !isNew));
print("without the new packages", before);
print("all", sumOf(rows));
console.log(`limits without the new packages: ${LIMITS.files} files, ${LIMITS.lines} lines\n`);

for (const provider of ["lambda", "aws", "local"]) {
  const program = path.join(root, "tools", "house", "launch.mjs");
  const output = execFileSync(process.execPath, ["--conditions=@slipway/source", program, provider], {
    encoding: "utf8",
    timeout: 120_000,
  });
  const { files, functions, ownFiles, requests, mostFrames, names } = JSON.parse(output);
  const entered = `one launch on ${provider} enters ${functions} functions in ${files} files, ${ownFiles} of them its own`;
  const frames = requests === 0 ? "it sends no request" : `at fetch at most ${mostFrames} frames are its own functions`;
  console.log(`${entered}; ${frames}`);
  if (process.argv.includes("--files")) for (const file of names) console.log(`  ${file}`);
}
