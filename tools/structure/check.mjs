// Runs every rule over a tree and takes away what rooms.json excepts.
import { arrowRules } from "./arrows.mjs";
import { chainRules } from "./chains.mjs";
import { entryRules } from "./entries.mjs";
import { manifestRules } from "./manifests.mjs";
import { nameRules } from "./names.mjs";
import { providerRules } from "./providers.mjs";
import { sourceRules } from "./sources.mjs";
import { testRules } from "./tests.mjs";
import { Tree } from "./tree.mjs";

/** A rule is `{ name, check(tree, rooms) }`, where check yields `{ file, line, todo }` for each breach. */
export const rules = [
  ...arrowRules,
  ...manifestRules,
  ...providerRules,
  ...entryRules,
  ...nameRules,
  ...chainRules,
  ...sourceRules,
  ...testRules,
];

export function checkTree(root, rooms) {
  const tree = new Tree(root);
  const found = rules.flatMap((rule) => [...rule.check(tree, rooms)].map((breach) => ({ rule: rule.name, ...breach })));
  const exceptions = rooms.exceptions.map((exception) => ({ ...exception, used: false }));
  const breaches = found.filter(({ rule, file }) => {
    const exception = exceptions.find((candidate) => candidate.rule === rule && path(candidate.file).test(file));
    if (exception) exception.used = true;
    return !exception;
  });
  breaches.push(...judgeExceptions(exceptions));
  breaches.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.rule.localeCompare(b.rule));
  return { breaches, ruleCount: rules.length, fileCount: tree.files.length };
}

/** An exception that excepts nothing any more, or does not say why, is a breach of its own. */
function* judgeExceptions(exceptions) {
  const known = new Set(rules.map(({ name }) => name));
  for (const { rule, file, reason, used } of exceptions) {
    const at = { file: "tools/rooms.json", line: 1, rule: "exceptions" };
    if (!known.has(rule)) yield { ...at, todo: `"${rule}" (for ${file}) is not a rule: name one of the rules` };
    else if ((reason ?? "").length < 20)
      yield { ...at, todo: `${rule} for ${file}: say in a sentence why it is excepted` };
    else if (!used) yield { ...at, todo: `${rule} for ${file} excepts nothing any more: take it out` };
  }
}

/** `*` stands for anything within one folder, `**` for anything. */
function path(pattern) {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("**", "\u0000").replaceAll("*", "[^/]*").replaceAll("\u0000", ".*")}$`);
}
