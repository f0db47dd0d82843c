#!/usr/bin/env node
// Checks that the repository is built as it says it is: arrows between packages, rooms of a provider, names, sizes.
// The plan is data in rooms.json, exceptions with their reasons included.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkTree } from "./structure/check.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const rooms = JSON.parse(readFileSync(path.join(root, "tools", "rooms.json"), "utf8"));

const { breaches, ruleCount, fileCount } = checkTree(root, rooms);
for (const { file, line, rule, todo } of breaches) console.log(`${file}:${line} ${rule}: ${todo}`);
const count = breaches.length === 1 ? "1 breach" : `${breaches.length} breaches`;
console.log(`structure: ${count} of ${ruleCount} rules in ${fileCount} files`);
process.exitCode = breaches.length === 0 ? 0 : 1;
