import { readFileSync } from "node:fs";
import { memoryErrorTable, memoryWorld } from "@slipway/provider-memory";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("the README names every row of the error table with its code", () => {
  const rows = readme.split("\n").filter((line) => line.startsWith("| `"));
  const missing = memoryErrorTable.filter(
    ({ id, code }) => !rows.some((row) => row.includes(`\`${id}\``) && row.includes(`| ${code}`)),
  );
  expect(missing).toEqual([]);
});

test("the README names every setting and every function of a world", () => {
  const world = memoryWorld();
  const optional = ["clock", "images", "apiKeys", "runBootstrap", "runInNode"];
  const notForTests = ["transport", "settings"];
  const names = [...Object.keys(world.settings), ...optional, ...Object.keys(world)];
  const missing = names.filter((name) => !notForTests.includes(name) && !new RegExp(`\\b${name}\\b`).test(readme));
  expect(missing).toEqual([]);
});
