import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL("../src/", import.meta.url));

/** Every file that importing this one loads, and every package. Imports of types alone load nothing. */
async function loadedBy(file: string, files = new Set<string>(), packages = new Set<string>()) {
  if (files.has(file)) return { files, packages };
  files.add(file);
  const text = await readFile(file, "utf8");
  for (const [, typesOnly, name = ""] of text.matchAll(/^(?:import|export) (type )?[^;]*?from "([^"]+)";/gm)) {
    if (typesOnly !== undefined) continue;
    if (name.startsWith(".")) await loadedBy(resolve(dirname(file), name), files, packages);
    else packages.add(name);
  }
  return { files, packages };
}

test("the main entry loads no emulator", async () => {
  const { files, packages } = await loadedBy(`${source}index.ts`);
  expect([...files].filter((file) => file.includes("/emulator/"))).toEqual([]);
  expect([...packages].filter((name) => name.includes("emulator") || name.includes("contract-tests"))).toEqual([]);
  // The walk sees what is really loaded.
  expect(files).toContain(`${source}client.ts`);
  expect(packages).toContain("@slipway/provider-kit/http");
});

test("one file alone talks to the wire", async () => {
  const { files } = await loadedBy(`${source}index.ts`);
  const talking: string[] = [];
  for (const file of files) {
    if (/from "@slipway\/provider-kit\/http"|\bfetch\(/.test(await readFile(file, "utf8"))) talking.push(file);
  }
  // errors.ts takes types alone from there.
  expect(talking.map((file) => file.replace(source, "")).sort()).toEqual(["client.ts", "errors.ts"]);
});
