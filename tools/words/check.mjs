// Looks for the words that words.json refuses: in whole files, and in their names. Identifiers are read as words, so that
// `addOldWord` and `OLD_WORD` are found like "old word".
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const SKIPPED = new Set(["node_modules", "dist", "coverage", ".git", ".turbo", "cache"]);
const TEXT = /\.(?:[cm]?[jt]sx?|json|md|ya?ml|sh|txt)$/;
// Words of others: licences, lockfiles, sums of modules. Reports are made from sources that are checked themselves. What tells
// users that a name has changed says the old one: a changelog, and the changeset that it is made from.
const OTHERS =
  /(?:^|\/)(?:LICENSE|CHANGELOG\.md|pnpm-lock\.yaml|package-lock\.json|(?:go|requirements)\S*\.txt)$|^\.changeset\/renamed-|^release\/api\/|^tools\/words\.json$/;

/** @returns every hit (`file`, `line`, `todo`), and how many files were read. */
export function checkWords(root, { rows, exceptions }) {
  const refused = rows.map(({ write, not }) => ({ write, pattern: new RegExp(`\\b(?:${not.join("|")})\\b`, "g") }));
  const used = new Set();
  const hits = [];
  let fileCount = 0;
  for (const file of walk(root, "")) {
    if (!TEXT.test(file) || OTHERS.test(file)) continue;
    fileCount += 1;
    const lines = [asWords(file), ...asWords(readFileSync(path.join(root, file), "utf8")).split("\n")];
    for (const [line, text] of lines.entries()) {
      for (const { write, pattern } of refused) {
        for (const [found] of text.matchAll(pattern)) {
          const exception = exceptions.find((one) => matches(one, file, found));
          if (exception) used.add(exception);
          else
            hits.push({
              file,
              line: Math.max(1, line),
              todo: `${line === 0 ? "its name: " : ""}write ${write}, not "${found}"`,
            });
        }
      }
    }
  }
  return { hits: [...hits, ...judgeExceptions(exceptions, used)], fileCount };
}

/** `addOldWord` and `OLD_WORD` become "add old word" and "old word"; what has hyphens keeps them. */
function asWords(text) {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

function matches({ file, word }, name, found) {
  return word === found && (file.endsWith("/**") ? name.startsWith(file.slice(0, -2)) : file === name);
}

function* judgeExceptions(exceptions, used) {
  const at = { file: "tools/words.json", line: 1 };
  for (const exception of exceptions) {
    const what = `the exception "${exception.word}" in ${exception.file}`;
    if ((exception.reason ?? "").length < 20) yield { ...at, todo: `${what} says no reason: write a sentence` };
    else if (!used.has(exception)) yield { ...at, todo: `${what} excepts nothing any more: take it out` };
  }
}

function* walk(root, folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const name = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) yield* walk(root, name);
    else if (entry.isFile()) yield name;
  }
}
