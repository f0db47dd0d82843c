#!/usr/bin/env node
// Checks that code, messages, tests, docs and file names use the words of the field: one word for one thing, and none of our
// own. The list is data in words.json, exceptions with their reasons included.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkWords } from "./words/check.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const list = JSON.parse(readFileSync(path.join(root, "tools", "words.json"), "utf8"));

const { hits, fileCount } = checkWords(root, list);
for (const { file, line, todo } of hits) console.log(`${file}:${line} ${todo}`);
console.log(
  `words: ${hits.length === 1 ? "1 hit" : `${hits.length} hits`} of ${list.rows.length} rows in ${fileCount} files`,
);
process.exitCode = hits.length === 0 ? 0 : 1;
