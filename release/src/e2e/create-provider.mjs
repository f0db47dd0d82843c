// `npm create @slipway/provider`, over both transports, in empty folders: what it writes has to be green at once.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { run } from "../run.mjs";

const ALL = "gpu,multiRegion,persistentVolumes,snapshots,hibernation,idempotentSpawn";
const PACKAGES = [
  { transport: "http", capabilities: ALL },
  { transport: "cli", capabilities: "persistentVolumes" },
];
const TYPESCRIPTS = ["5.9.3", "7.0.2"];

export async function createProvider({ place, env, report }) {
  for (const { transport, capabilities } of PACKAGES) {
    const above = path.join(place, `created-${transport}`);
    mkdirSync(above);
    const folder = path.join(above, "slipway-provider-my-cloud");
    const npm = (...words) => run("npm", words, { cwd: folder, env, timeoutMs: 300_000 });
    const made = await report.check(`npm create @slipway/provider over ${transport}`, () => {
      const words = ["create", "--yes", "@slipway/provider", "my-cloud", "--", "--yes"];
      run("npm", [...words, "--transport", transport, "--capabilities", capabilities], { cwd: above, env });
      npm("install", "--no-audit", "--no-fund");
    });
    if (!made) continue;
    await report.check(`  it builds and lints`, () => {
      npm("run", "build");
      assert.doesNotMatch(npm("run", "lint").output, /Found \d+ (?:warning|error)/);
    });
    await report.check(`  it passes the whole suite`, () => {
      const { output } = npm("test");
      const [, passed] = /Tests .*?(\d+) passed/.exec(output.replaceAll(/\x1b\[[0-9;]*m/g, "")) ?? [];
      // The capabilities that the template has, and what projection can change of them.
      assert.ok(Number(passed) > 140, output);
      return `${passed} cases`;
    });
    for (const version of TYPESCRIPTS) {
      await report.check(`  it type-checks on TypeScript ${version}`, () => {
        npm("install", "--no-audit", "--no-fund", "--no-save", `typescript@${version}`);
        npm("run", "typecheck");
        npm("run", "build");
      });
    }
    await report.check(`  the command finds it, runs the suite over it, and says so in Markdown`, () => {
      npm("install", "--no-audit", "--no-fund", "--save-dev", "slipway");
      const slipway = (...words) =>
        run(path.join(folder, "node_modules", ".bin", "slipway"), words, { cwd: folder, env });
      const { stdout } = slipway("conformance", "./test/harness.ts", "--markdown");
      assert.match(stdout, /!\[Slipway contract 1: conformant\]/);
      const { passed, counts } = JSON.parse(slipway("conformance", "./test/harness.ts", "--json").stdout);
      assert.equal(passed, true);
      return `${counts.passed} cases passed`;
    });
    await report.check("  what it would publish is what a user needs", () => {
      const [{ files }] = JSON.parse(npm("pack", "--dry-run", "--json").stdout);
      const paths = files.map((file) => file.path);
      for (const wanted of ["dist/src/index.js", "dist/src/index.d.ts", "dist/emulator/index.js", "README.md"])
        assert.ok(paths.includes(wanted), wanted);
      assert.deepEqual(
        paths.filter((one) => /^(?:src|emulator|test)\//.test(one)),
        [],
      );
    });
  }
}
