// A small tree that keeps every rule, written to a temporary folder; a test breaks one thing in it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkTree } from "../structure/check.mjs";

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** The real plan of the house, without the exceptions that the real packages need. */
export const rooms = {
  ...JSON.parse(readFileSync(path.join(repository, "tools", "rooms.json"), "utf8")),
  exceptions: [],
};

export const core = {
  name: "@slipway/core",
  peerDependencies: { zod: "^4.6.0" },
  peerDependenciesMeta: { zod: { optional: true } },
};

export const kit = {
  name: "@slipway/provider-kit",
  dependencies: { execa: "catalog:" },
  peerDependencies: { "@slipway/core": "workspace:^" },
  devDependencies: { "@slipway/core": "workspace:^" },
};

export const acme = {
  name: "@slipway/provider-acme",
  slipway: { provider: "acme", contract: 1 },
  dependencies: { "@slipway/provider-kit": "workspace:^" },
  peerDependencies: { "@slipway/core": "workspace:^" },
  devDependencies: { "@slipway/core": "workspace:^", "@slipway/contract-tests": "workspace:^", vitest: "catalog:" },
};

const suite = {
  name: "@slipway/contract-tests",
  peerDependencies: { "@slipway/core": "workspace:^" },
  devDependencies: { "@slipway/core": "workspace:^" },
};

const sound = {
  "package.json": { name: "slipway-workspace", devDependencies: { turbo: "2.11.11" } },
  "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
  "packages/core/package.json": core,
  "packages/core/src/index.ts": 'export { isProviderError } from "./errors/provider-error.ts";\n',
  "packages/core/src/errors/provider-error.ts":
    "export const isProviderError = (error: unknown): boolean => error !== null;\n",
  "packages/provider-kit/package.json": kit,
  "packages/provider-kit/src/command.ts": 'import { execa } from "execa";\nexport const start = execa;\n',
  "packages/contract-tests/package.json": suite,
  "packages/provider-acme/package.json": acme,
  "packages/provider-acme/README.md": "# acme\n",
  "packages/provider-acme/src/index.ts": 'export { acme } from "./provider.ts";\n',
  "packages/provider-acme/src/provider.ts":
    'import { isProviderError } from "@slipway/core";\nimport type { Emulator } from "../emulator/index.ts";\nexport const acme = (emulator: Emulator): boolean => isProviderError(emulator);\n',
  "packages/provider-acme/src/instance.ts": "export const materialize = 1;\n",
  "packages/provider-acme/src/errors.ts": "export const rows: readonly string[] = [];\n",
  "packages/provider-acme/src/hooks.ts": "export const hooks = {};\n",
  "packages/provider-acme/src/client.ts": "export const client = {};\n",
  "packages/provider-acme/src/wire.ts": "export const wire = {};\n",
  "packages/provider-acme/emulator/index.ts": 'export type Emulator = "emulator";\n',
  "packages/provider-acme/test/contract.test.ts":
    'import { describeProvider } from "@slipway/contract-tests/vitest";\nimport { acme } from "../src/index.ts";\ndescribeProvider(acme);\n',
  "packages/provider-acme/test/live.test.ts": 'import { it } from "vitest";\nit("runs for real", () => {});\n',
};

/** The breaches of the sound tree with some files changed (a text or a manifest) or taken away (null). */
export function breachesOf(changes = {}, exceptions = []) {
  const root = mkdtempSync(path.join(tmpdir(), "slipway-structure-"));
  try {
    for (const [file, content] of Object.entries({ ...sound, ...changes })) {
      if (content === null) continue;
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
      writeFileSync(path.join(root, file), text);
    }
    return checkTree(root, { ...rooms, exceptions }).breaches;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
