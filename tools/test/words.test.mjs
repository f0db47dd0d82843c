import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { checkWords } from "../words/check.mjs";

const rows = [{ write: "gauge", not: ["thing(?:y|ies)", "old word"] }];

/** The hits in one file of this name and text. */
function hitsOf(file, text, exceptions = []) {
  const root = mkdtempSync(path.join(tmpdir(), "slipway-words-"));
  try {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    return checkWords(root, { rows, exceptions }).hits;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

for (const [what, file, text, line] of [
  ["prose", "docs/a.md", "# A\n\nA thingy.\n", 3],
  ["a message", "src/a.ts", 'throw new Error("the thingies are gone");\n', 1],
  ["a comment", "src/a.ts", "// One\n// Thingy\n", 2],
  ["an identifier", "src/a.ts", "export const addOldWord = 1;\n", 1],
  ["a constant", "src/a.ts", "\nexport const OLD_WORD = 1;\n", 2],
  ["a property", "src/a.ts", "export const a = { thingyCount: 1 };\n", 1],
  ["a file's name", "src/thingy.ts", "export {};\n", 1],
]) {
  test(`${what} is read`, () => {
    const [hit, ...others] = hitsOf(file, text);
    assert.deepEqual([hit.file, hit.line, others], [file, line, []]);
    assert.match(hit.todo, /write gauge, not "(?:thingy|thingies|old word)"$/);
  });
}

test("what only begins like a word is another word", () => {
  assert.deepEqual(hitsOf("a.md", "Thingyness, something, a bold wordsmith, old, word.\n"), []);
});

test("the words of a licence are others'", () => {
  assert.deepEqual(hitsOf("LICENSE", "thingy\n"), []);
});

test("what tells of a renamed name may say the old one", () => {
  assert.deepEqual(hitsOf("packages/a/CHANGELOG.md", "`thingy` is `gauge`\n"), []);
  assert.deepEqual(hitsOf(".changeset/renamed-words.md", "`thingy` is `gauge`\n"), []);
  assert.equal(hitsOf(".changeset/a.md", "thingy\n").length, 1);
});

test("an exception needs a reason and a hit", () => {
  const reason = "The remote itself calls it so in its answers.";
  assert.deepEqual(hitsOf("src/a.ts", "// thingy\n", [{ file: "src/a.ts", word: "thingy", reason }]), []);
  assert.deepEqual(hitsOf("src/a.ts", "// thingy\n", [{ file: "src/**", word: "thingy", reason }]), []);
  const of = (exception) => hitsOf("src/a.ts", "// thingy\n", [exception]).map(({ todo }) => todo);
  assert.match(of({ file: "src/a.ts", word: "thingy", reason: "so" })[0], /says no reason/);
  assert.match(of({ file: "src/a.ts", word: "thingies", reason })[1], /excepts nothing/);
});
