import assert from "node:assert/strict";
import { test } from "node:test";
import { rules } from "../structure/check.mjs";
import { acme, breachesOf, core, kit } from "./fixture.mjs";

const provider = "packages/provider-acme";
const manifest = `${provider}/package.json`;
/** Files 2 to `last` of a row. */
const row = (last) =>
  Object.fromEntries(
    Array.from({ length: last }, (_, at) => at + 2).map((at) => [
      `${provider}/src/row-${at}.ts`,
      at > last ? "export {};\n" : `import "./row-${at + 1}.ts";\n`,
    ]),
  );
const long = `${"export const line = 1;\n".repeat(301)}`;

/** One breach of each rule, or several where a rule has several ways to be broken. */
const cases = [
  [
    "arrow",
    "a dependency that points the wrong way",
    manifest,
    depends(acme, { "@slipway/contract-tests": "workspace:^" }),
  ],
  [
    ["arrow", "undeclared-import"],
    "an import that points the wrong way",
    `${provider}/src/wire.ts`,
    'import "@slipway/contract-tests";\n',
  ],
  ["arrow", "a package without a row", "packages/acme/package.json", { name: "@slipway/acme" }],
  ["undeclared-import", "an import that is not declared", `${provider}/src/wire.ts`, 'import { z } from "zod";\n'],
  ["undeclared-import", "a dev dependency in src", `${provider}/src/wire.ts`, 'export { it } from "vitest";\n'],
  [
    "border",
    "a relative import into another package",
    `${provider}/src/wire.ts`,
    'import "../../core/src/index.ts";\n',
  ],
  ["core-stands-alone", "core with a dependency", "packages/core/package.json", depends(core, { zod: "^4.6.0" })],
  [
    "core-stands-alone",
    "core with a peer that must be there",
    "packages/core/package.json",
    { ...core, peerDependenciesMeta: {} },
  ],
  ["core-is-a-peer", "core as a dependency", manifest, depends(acme, { "@slipway/core": "workspace:^" })],
  ["core-is-a-peer", "core as a peer only", "packages/provider-kit/package.json", { ...kit, devDependencies: {} }],
  ["workspace-range", "a fixed range", manifest, depends(acme, { "@slipway/provider-kit": "workspace:*" })],
  ["origin", "a package with an author of its own", manifest, { ...acme, author: "Acme" }],
  [
    "origin",
    "a package that does not say where its source is",
    "package.json",
    { name: "slipway-workspace", repository: { type: "git", url: "git+https://example.com/slipway.git" } },
  ],
  ["root-manifest", "a catalog specifier in the root", "package.json", { devDependencies: { vitest: "catalog:" } }],
  ["registry", "a host in the lockfile", "pnpm-lock.yaml", "resolution: {tarball: https://example.com/a.tgz}\n"],
  ["registry", "a registry in .npmrc", ".npmrc", "registry=https://example.com\n"],
  ["room", "a provider without an error table", `${provider}/src/errors.ts`, null],
  ["room", "a remote without an emulator", `${provider}/emulator/index.ts`, null],
  [
    "provider-field",
    "a provider that the command cannot find",
    manifest,
    { ...acme, slipway: { provider: "aws", contract: 1 } },
  ],
  ["named-exports", "a star export", `${provider}/src/index.ts`, 'export * from "./provider.ts";\n'],
  [
    "emulator-stays-out",
    "an emulator behind the main entry",
    `${provider}/src/provider.ts`,
    'export { acme } from "../emulator/index.ts";\n',
  ],
  [
    "emulator-stays-out",
    "an emulator loaded late",
    `${provider}/src/hooks.ts`,
    'export const hooks = () => import("../emulator/index.ts");\n',
    { [`${provider}/src/provider.ts`]: 'export { hooks as acme } from "./hooks.ts";\n' },
  ],
  [
    "emulator-stands-alone",
    "an emulator that takes its words from the provider",
    `${provider}/emulator/index.ts`,
    'export type { wire as Emulator } from "../src/wire.ts";\n',
  ],
  ["name", "a file of helpers", `${provider}/src/test-helpers.ts`, "export {};\n"],
  ["name", "a folder of utilities", "tools/utils/text.mjs", "export {};\n"],
  ["length", "a file of 301 lines", `${provider}/src/wire.ts`, long],
  ["chain", "eleven files that load each other in a row", `${provider}/src/wire.ts`, 'import "./row-2.ts";\n', row(10)],
  ["syntax", "a module that does not parse", `${provider}/src/wire.ts`, "export const = 1;\n"],
  ["any", "an any in a signature", `${provider}/src/wire.ts`, "export const wire = (body: any): unknown => body;\n"],
  ["any", "a cast to any in a test", `${provider}/test/live.test.ts`, "export const nothing = null as any;\n"],
  ["ts-comment", "an error that is silenced", `${provider}/src/wire.ts`, "// @ts-ignore\nexport {};\n"],
  [
    "focused",
    "a test that runs alone",
    `${provider}/test/live.test.ts`,
    'import { it } from "vitest";\nit.only("x", () => {});\n',
  ],
  [
    "focused",
    "a test that is an idea",
    `${provider}/test/live.test.ts`,
    'import { it } from "vitest";\nit.todo("x");\n',
  ],
  [
    "error-identity",
    "instanceof on an error",
    `${provider}/src/wire.ts`,
    'import { ProviderError } from "@slipway/core";\nexport const is = (e: unknown): boolean => e instanceof ProviderError;\n',
  ],
  [
    "top-level-await",
    "an await outside a function",
    `${provider}/src/wire.ts`,
    "export const wire = await Promise.resolve(1);\n",
  ],
  [
    "top-level-await",
    "a for await outside a function",
    `${provider}/src/wire.ts`,
    "for await (const x of []) console.log(x);\n",
  ],
  [
    "no-sleep",
    "a timer",
    `${provider}/test/live.test.ts`,
    "await new Promise((resolve) => setTimeout(resolve, 10));\n",
  ],
  [
    "no-sleep",
    "a timer as a promise",
    `${provider}/test/live.test.ts`,
    'import { setTimeout as sleep } from "node:timers/promises";\nawait sleep(5);\n',
  ],
];

function depends(manifest, dependencies) {
  return { ...manifest, dependencies: { ...manifest.dependencies, ...dependencies } };
}

test("a sound tree has no breach", () => {
  assert.deepEqual(breachesOf(), []);
});

for (const [expected, what, file, content, others = {}] of cases) {
  test(`${expected}: ${what}`, () => {
    const breaches = breachesOf({ [file]: content, ...others });
    assert.deepEqual(
      [...new Set(breaches.map(({ rule }) => rule))],
      [expected].flat(),
      JSON.stringify(breaches, null, 2),
    );
    assert.ok(breaches.every((breach) => breach.line >= 1 && breach.todo.length > 20));
  });
}

test("every rule has a case here", () => {
  assert.deepEqual(
    [...new Set(rules.map(({ name }) => name))].sort(),
    [...new Set(cases.flatMap(([expected]) => expected))].sort(),
  );
});

test("what only looks like a breach is none", () => {
  const text = [
    "// import x from '@slipway/contract-tests'; any; setTimeout(1)",
    'export const script: string = `import y from "@slipway/contract-tests"; await it.only(any)`;',
    'export const late = async (): Promise<unknown> => await import("@slipway/core");',
    "export const anything = { any: 1, only: 2 };",
  ].join("\n");
  assert.deepEqual(breachesOf({ [`${provider}/src/wire.ts`]: text }), []);
});

test("a turn of the event loop is no sleep", () => {
  const text =
    'import { setImmediate as turn } from "node:timers/promises";\nexport const next = (): Promise<void> => turn();\n';
  assert.deepEqual(breachesOf({ [`${provider}/test/live.test.ts`]: text }), []);
});

test("a breach says the file and the line", () => {
  const [breach] = breachesOf({ [`${provider}/src/wire.ts`]: "\n\nexport const wire: any = 1;\n" });
  assert.deepEqual([breach.file, breach.line, breach.rule], [`${provider}/src/wire.ts`, 3, "any"]);
});

const loose = { [`${provider}/src/wire.ts`]: "export const wire: any = 1;\n" };
const reason = "The wire is described by somebody else, in JavaScript.";

test("an exception with a reason is kept", () => {
  assert.deepEqual(breachesOf(loose, [{ rule: "any", file: `${provider}/**`, reason }]), []);
});

for (const [what, exceptions, message] of [
  ["without a reason", [{ rule: "any", file: `${provider}/**`, reason: "legacy" }], /say in a sentence/],
  [
    "that excepts nothing",
    [
      { rule: "any", file: `${provider}/**`, reason },
      { rule: "name", file: "*", reason },
    ],
    /nothing any more/,
  ],
  [
    "for no rule",
    [
      { rule: "any", file: `${provider}/**`, reason },
      { rule: "anything", file: "*", reason },
    ],
    /not a rule/,
  ],
]) {
  test(`an exception ${what} is a breach`, () => {
    const breaches = breachesOf(loose, exceptions);
    assert.deepEqual(
      breaches.map((breach) => breach.rule),
      ["exceptions"],
    );
    assert.match(breaches[0].todo, message);
  });
}
