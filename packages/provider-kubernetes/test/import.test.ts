import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { expect, test } from "vitest";
import { z } from "zod";

const SOURCE = path.join(import.meta.dirname, "..", "src", "index.ts");
const LOADED = `
  import { registerHooks } from "node:module";
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  await import(${JSON.stringify(SOURCE)});
  console.log(JSON.stringify(urls));
`;

// Each of them costs more than all the rest: they are loaded by the first call that needs them.
test("importing the package loads no HTTP, no WebSocket and no YAML", { timeout: 60_000 }, async () => {
  const run = commandRunner({ defaults: { timeoutMs: 60_000 } });
  const node = ["--conditions=@slipway/source", "--input-type=module", "-e", LOADED];
  const { stdout, stderr } = await run(process.execPath, node);
  expect(stderr).toBe("");
  const urls = z.array(z.string()).parse(JSON.parse(stdout));
  expect(urls.filter((url) => /^node:|\/node_modules\/(?!\.pnpm\/zod|zod)/.test(url)).toSorted()).toEqual([
    "node:fs/promises",
    "node:os",
    "node:path",
  ]);
});
