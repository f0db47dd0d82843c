import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const folder = new URL("./readme/", import.meta.url);
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block);

test.each(readdirSync(folder))("the README shows %s as it is compiled here", (name) => {
  expect(blocks).toContain(readFileSync(new URL(name, folder), "utf8"));
});

test("the README shows no code that is not compiled", () => {
  expect(blocks).toHaveLength(readdirSync(folder).length);
});
