import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the main entry never loads the emulator", async () => {
  const seen = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"/g)) await visit(new URL(path ?? "", file));
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  expect(seen.size).toBeGreaterThan(5);
  expect([...seen].filter((file) => file.includes("/emulator/"))).toEqual([]);
});
