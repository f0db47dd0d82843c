#!/usr/bin/env node
// Checks that code, messages, tests, docs and file names use the words of the field: one word for one thing, and none of our
// own. The list is data in words.json, exceptions with their reasons included. Also that the page of all messages is that of
// the code; with --write it is written.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkWords } from "./words/check.mjs";
import { messagesPage } from "./words/messages.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const list = JSON.parse(readFileSync(path.join(root, "tools", "words.json"), "utf8"));

const page = messagesPage(root);
const place = path.join(root, page.file);
if (process.argv.includes("--write")) writeFileSync(place, page.text);
const isCurrent = contentOf(place) === page.text;

const { hits, fileCount } = checkWords(root, list);
for (const { file, line, todo } of hits) console.log(`${file}:${line} ${todo}`);
if (!isCurrent) console.log(`${page.file}: is not that of the code; write it with: npm run words -- --write`);
console.log(
  `words: ${hits.length === 1 ? "1 hit" : `${hits.length} hits`} of ${list.rows.length} rows in ${fileCount} files, ${page.count} messages`,
);
process.exitCode = hits.length === 0 && isCurrent ? 0 : 1;

function contentOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
