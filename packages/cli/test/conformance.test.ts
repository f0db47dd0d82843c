import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";
import { FakeRemote, fakeModule } from "./fake-provider.ts";

/** A harness whose provider is the fake: enough for cases of the group "identity". */
function harness() {
  const remote = new FakeRemote();
  const make = async (owner = "suite") => {
    const register = fakeModule(remote).register as (config: unknown, env: object) => Promise<{ provider: object }>;
    return register({}, { owner, variables: {} });
  };
  return async () => ({
    registration: await make(),
    spawnOptions: () => ({}),
    another: async (options: { owner?: string } = {}) => (await make(options.owner)).provider,
    inspector: {
      instances: async () =>
        [...remote.instances.values()].map(({ id, owner, key, status }) => ({
          nativeId: id,
          owner,
          key,
          live: status !== "terminated",
        })),
    },
    clock: { now: Date.now, sleep: async () => undefined },
    unknownId: "i-999",
    secrets: [],
    close: async () => undefined,
  });
}

describe("slipway conformance", () => {
  it("prints the report in each form, and answers by its verdict", async () => {
    const line = commandLine();
    const path = line.write("harness.mjs", "");
    line.modules.set(`file://${path}`, () => ({ harness: harness() }));
    const args = ["conformance", "./harness.mjs", "--only", "identity", "--mode", "plain"];
    const json = await line.slipway([...args, "--json"]);
    const report = json.json() as { passed: boolean; provider: object; results: readonly { group: string }[] };
    expect(report.provider).toMatchObject({ name: "local", tier: "testing" });
    expect(new Set(report.results.map(({ group }) => group))).toEqual(new Set(["identity"]));
    expect(json.exitCode).toBe(report.passed ? 0 : 1);
    expect((await line.slipway(args)).stdout).toContain("Slipway contract 1");
    expect((await line.slipway([...args, "--markdown"])).stdout).toContain("| group | passed |");
  });

  it("takes the suite of the harness's own project, and says how to install one where there is none", async () => {
    const line = commandLine();
    const path = line.write("harness.mjs", "");
    line.modules.set(`file://${path}`, () => ({ harness: harness() }));
    const suite = JSON.stringify({ name: "@slipway/contract-tests", exports: "./index.js" });
    line.write("node_modules/@slipway/contract-tests/package.json", suite);
    const entry = line.write("node_modules/@slipway/contract-tests/index.js", "");
    const own = { runConformance: async () => ({ passed: true }), renderTable: () => "of its own\n" };
    line.modules.set(`file://${entry}`, () => ({
      ...own,
      renderJson: own.renderTable,
      renderMarkdown: own.renderTable,
    }));
    expect(await line.slipway(["conformance", "harness.mjs"])).toMatchObject({ exitCode: 0, stdout: "of its own\n" });

    line.modules.set(`file://${entry}`, () => ({}));
    expect((await line.slipway(["conformance", "harness.mjs"])).stderr).toContain("does not know");
    rmSync(join(line.cwd, "node_modules"), { recursive: true });
    line.modules.set("@slipway/contract-tests", () => {
      throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    });
    const none = await line.slipway(["conformance", "harness.mjs"]);
    expect([none.exitCode, none.stderr]).toEqual([
      1,
      expect.stringContaining("npm install --save-dev @slipway/contract-tests"),
    ]);
  });

  it("constrains nobody's test runner: the suite is no dependency of the command", () => {
    const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
    const { dependencies, peerDependencies = {} } = JSON.parse(manifest) as {
      dependencies: object;
      peerDependencies?: object;
    };
    expect(Object.keys({ ...dependencies, ...peerDependencies })).not.toContain("@slipway/contract-tests");
    expect(Object.keys({ ...dependencies, ...peerDependencies })).not.toContain("vitest");
  });

  it("fails where a case fails, and where none ran", async () => {
    const line = commandLine();
    const path = line.write("harness.mjs", "");
    const make = harness();
    // Its inspector sees nothing: whatever it spawns counts as a lie.
    line.modules.set(`file://${path}`, () => ({
      default: async () => ({ ...(await make()), inspector: { instances: async () => [] } }),
    }));
    expect((await line.slipway(["conformance", "harness.mjs", "--only", "spawn", "--mode", "plain"])).exitCode).toBe(1);
    expect((await line.slipway(["conformance", "harness.mjs", "--only", "no-such-group"])).exitCode).toBe(1);
  });

  it("says what a module lacks", async () => {
    const line = commandLine();
    line.write("empty.mjs", "export const other = 1");
    line.write("broken.mjs", "throw new Error('no emulator')");
    expect((await line.slipway(["conformance", "./empty.mjs"])).stderr).toContain("exports no function `harness`");
    expect((await line.slipway(["conformance", "./broken.mjs"])).stderr).toContain("no emulator");
    expect((await line.slipway(["conformance", "./absent.mjs"])).exitCode).toBe(2);
    expect((await line.slipway(["conformance", "@acme/absent"])).stderr).toContain("npm install @acme/absent");
    expect(existsSync(join(line.state, "slipway"))).toBe(false);
  });
});
