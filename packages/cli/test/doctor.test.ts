import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { commandLine, installed } from "./command-line.ts";
import { fault } from "./fake-provider.ts";

describe("slipway doctor", () => {
  it("shows Node, the state directory, the owner, and what each provider tells of itself", async () => {
    const line = commandLine();
    const run = await line.slipway(["doctor", "--json"]);
    expect(run.exitCode).toBe(0);
    const says = Object.fromEntries(
      (run.json() as { check: string; says: string }[]).map((one) => [one.check, one.says]),
    );
    expect(says).toMatchObject({
      node: "24.0.0",
      "state directory": expect.stringContaining(line.state),
      owner: expect.stringMatching(/^cli-[0-9a-f]{16}$/),
      "provider local": expect.stringContaining("isolation none"),
    });
    expect((await line.slipway(["doctor"])).stdout).toContain(says["owner"]);
  });

  it("shows what a provider warns of, and does not fail", async () => {
    const { slipway, remote } = commandLine();
    remote.health = { pods: 2, warning: "the account has no SSH key" };
    const run = await slipway(["doctor"]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/warning +provider local +.* is ready, pods 2; the account has no SSH key/);
  });

  it("shows why a provider cannot start, and fails", async () => {
    const { slipway, remote } = commandLine();
    remote.startup = async () => {
      throw fault("AUTH_ERROR", "local", "the key is missing");
    };
    const run = await slipway(["doctor"]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/failed +provider local +AUTH_ERROR: the key is missing\. Try another\./);
  });

  it("waits for a provider's start-up check no longer than --timeout", async () => {
    const { slipway, remote } = commandLine();
    remote.startup = () => new Promise(() => undefined);
    const run = await slipway(["doctor", "--timeout", "1s"]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/failed +provider local +TIMEOUT/);
    expect(run.stdout).toMatch(/ok +node/);
  });

  it("fails for a provider that is meant and not installed: named, or the default of slipway.config", async () => {
    const line = commandLine();
    const named = await line.slipway(["doctor", "--provider", "lambda"]);
    expect([named.exitCode, named.stdout]).toEqual([
      1,
      expect.stringMatching(/failed +provider lambda +MISSING_PROVIDER: .*npm install @slipway\/provider-lambda/),
    ]);
    line.write("slipway.config.json", '{"provider":"lambda"}');
    const chosen = await line.slipway(["doctor"]);
    expect([chosen.exitCode, chosen.stdout]).toEqual([
      1,
      expect.stringMatching(/failed +provider lambda +MISSING_PROVIDER/),
    ]);
  });

  it("warns of two copies of core in one project", async () => {
    const line = commandLine();
    installed(line, "acme", "acme");
    line.write("node_modules/@slipway/core/package.json", '{"name":"@slipway/core","version":"1.0.0"}');
    expect((await line.slipway(["doctor"])).stdout).toMatch(/ok +core +one copy/);
    line.write(
      "node_modules/acme/node_modules/@slipway/core/package.json",
      '{"name":"@slipway/core","version":"1.0.1"}',
    );
    const run = await line.slipway(["doctor"]);
    expect(run.stdout).toMatch(/warning +core +two copies of @slipway\/core/);
    expect(run.stdout).toContain("npm dedupe");
  });

  it("names a launch that was begun and not finished, and how it is completed", async () => {
    const { slipway, remote } = commandLine();
    remote.failures.set("spawn", () => fault("NETWORK", "local", "cut", undefined, "unknown"));
    remote.failures.set("list", () => fault("AUTH_ERROR", "local", "cut"));
    await slipway(["spawn", "--key", "half"]);
    const run = await slipway(["doctor"]);
    expect(run.stdout).toMatch(/warning +launches +.*not known to be finished: half/);
  });

  it("checks the schema of a shared store where its database is named, and never shows its address", async () => {
    const line = commandLine();
    const env = {
      XDG_STATE_HOME: line.state,
      HOME: line.directory,
      SLIPWAY_DATABASE_URL: "postgres://me:hidden-word@db/ci",
    };
    expect((await line.slipway(["doctor"])).stdout).not.toContain("shared store");
    const missing = await line.slipway(["doctor"], { env });
    expect(missing.stdout).toMatch(/warning +shared store +.*not installed here/);

    const manifest = '{"name":"@slipway/store-postgres","version":"1.0.0","main":"index.js"}';
    line.write("node_modules/@slipway/store-postgres/package.json", manifest);
    let state: object | Error = { state: "current", version: 1, needed: 1 };
    const checkDatabase = async (url: string) => {
      if (state instanceof Error) throw state;
      return url === env.SLIPWAY_DATABASE_URL ? state : null;
    };
    const href = pathToFileURL(join(line.cwd, "node_modules/@slipway/store-postgres/index.js")).href;
    line.modules.set(href, () => ({ checkDatabase }));
    expect((await line.slipway(["doctor"], { env })).stdout).toMatch(
      /ok +shared store +schema slipway, version 1 of 1/,
    );
    state = { state: "missing", version: 0, needed: 1 };
    const run = await line.slipway(["doctor"], { env });
    expect([run.exitCode, run.stdout]).toEqual([1, expect.stringMatching(/failed +shared store .*applyMigrations/)]);
    state = new Error(`cannot connect to ${env.SLIPWAY_DATABASE_URL}, not as hidden-word either`);
    const failed = await line.slipway(["doctor"], { env });
    expect(failed.stdout).toMatch(/failed +shared store/);
    expect(failed.stdout + failed.stderr).not.toContain("hidden-word");
    // A percent sign in a password is no fault of slipway's.
    const odd = await line.slipway(["doctor"], { env: { ...env, SLIPWAY_DATABASE_URL: "postgres://me:100%@db/ci" } });
    expect([odd.exitCode, odd.stdout]).toEqual([1, expect.stringMatching(/failed +shared store +the database cannot/)]);
    expect(odd.stdout).not.toContain("INTERNAL");
  });
});
