import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { type CommandLine, commandLine, installed } from "./command-line.ts";
import { FakeRemote, fakeModule } from "./fake-provider.ts";

/** A launch of `web-1` on a provider that the project's package.json no longer lists. */
async function launchedElsewhere(): Promise<{ readonly line: CommandLine; readonly remote: FakeRemote }> {
  const line = commandLine();
  const remote = new FakeRemote();
  const entry = installed(line, "@acme/compute", "acme");
  line.modules.set(pathToFileURL(entry).href, () => fakeModule(remote, { name: "acme" }));
  expect((await line.slipway(["spawn", "--key", "web-1", "--provider", "acme"])).exitCode).toBe(0);
  rmSync(join(line.cwd, "package.json"));
  return { line, remote };
}

const named = expect.stringMatching(/provider acme .*web-1 \(i-1\)/);

describe("a launch whose provider is not found here", () => {
  const commands: readonly (readonly string[])[] = [
    ["list"],
    ["terminate", "web-1", "--confirm"],
    ["terminate", "i-1", "--confirm"],
    ["terminate", "--all", "--yes"],
    ["reconcile"],
    ["reconcile", "--apply", "--yes"],
    ["get", "web-1"],
  ];
  it.each(commands.map((words) => [words.join(" "), words] as const))("slipway %s names it", async (_name, words) => {
    const { line, remote } = await launchedElsewhere();
    const run = await line.slipway([...words, "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({
      code: "UNREACHABLE_LAUNCH",
      message: named,
      launches: [{ provider: "acme", key: "web-1", id: "i-1", region: null }],
    });
    const said = await line.slipway(words);
    expect(said.stdout + said.stderr).not.toMatch(/is gone|No instances|All is as/);
    expect(remote.called("terminate")).toEqual([]);
  });

  it("slipway doctor names it", async () => {
    const { line } = await launchedElsewhere();
    const run = await line.slipway(["doctor"]);
    expect([run.exitCode, run.stdout]).toEqual([1, named]);
  });

  it("is left out where another provider is named", async () => {
    const { line } = await launchedElsewhere();
    expect((await line.slipway(["list", "--provider", "local"])).exitCode).toBe(0);
    expect((await line.slipway(["list", "--key", "another"])).exitCode).toBe(0);
  });

  it("shows what is here all the same", async () => {
    const { line } = await launchedElsewhere();
    expect((await line.slipway(["spawn", "--key", "here"])).exitCode).toBe(0);
    const run = await line.slipway(["list"]);
    expect([run.exitCode, run.stdout]).toEqual([1, expect.stringContaining("here")]);
    expect((await line.slipway(["terminate", "here"])).exitCode).toBe(0);
  });

  it("is not taken for another provider's instance of the same key", async () => {
    const { line } = await launchedElsewhere();
    expect((await line.slipway(["spawn", "--key", "web-1"])).exitCode).toBe(0);
    const run = await line.slipway(["terminate", "web-1", "--json"]);
    expect([run.exitCode, run.error()["code"]]).toEqual([1, "UNREACHABLE_LAUNCH"]);
    expect(line.remote.called("terminate")).toEqual([]);
    expect((await line.slipway(["terminate", "web-1", "--provider", "local"])).exitCode).toBe(0);
  });
});

describe("a launch in a region that is not configured here", () => {
  async function inNorth(): Promise<CommandLine> {
    const options: { regions: readonly string[] } = { regions: ["north"] };
    const line = commandLine(options);
    expect((await line.slipway(["spawn", "--key", "web-1"])).exitCode).toBe(0);
    options.regions = ["south"];
    return line;
  }

  it.each([
    [["list"]],
    [["terminate", "i-1", "--confirm"]],
    [["terminate", "--all", "--yes"]],
    [["reconcile", "--apply", "--yes"]],
  ] as const)("slipway %s names it", async (words) => {
    const line = await inNorth();
    const run = await line.slipway([...words, "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({
      code: "UNREACHABLE_LAUNCH",
      message: expect.stringMatching(/south and not for north.*web-1 \(i-1\)/),
      launches: [{ region: "north" }],
    });
    expect((await line.slipway(["doctor"])).stdout).toMatch(/failed +launches +.*web-1 \(i-1\)/);
    expect((await line.slipway(words)).stdout).not.toMatch(/is gone|No instances|All is as/);
    // What was out of sight is not forgotten either.
    expect((await line.slipway(["list"])).exitCode).toBe(1);
  });
});

describe("what nobody has seen", () => {
  it("is not found, and not gone", async () => {
    const { slipway } = commandLine();
    for (const words of [
      ["terminate", "i-typo"],
      ["terminate", "i-typo", "--confirm"],
    ]) {
      const run = await slipway(words);
      expect([run.exitCode, run.stdout]).toEqual([1, "i-typo was not found\n"]);
    }
  });

  it("is gone if the record of its launch names it", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    remote.instances.clear();
    const run = await slipway(["terminate", "a", "--confirm"]);
    expect([run.exitCode, run.stdout]).toEqual([0, "i-1 (a) is gone\n"]);
  });

  it("is ended by --all if only its record shows it", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    remote.unlisted.add("i-1");
    const run = await slipway(["terminate", "--all", "--yes"]);
    expect([run.exitCode, remote.called("terminate")]).toEqual([0, [["i-1"]]]);
  });
});

describe("providers beside the command", () => {
  const manifest = (name: string): string =>
    JSON.stringify({ name, version: "1.2.3", exports: "./index.js", slipway: { provider: "acme", contract: 1 } });

  function put(path: string, content: string): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  function offer(line: CommandLine, modules: string): void {
    put(join(modules, "@acme/compute/package.json"), manifest("@acme/compute"));
    const entry = put(join(modules, "@acme/compute/index.js"), "");
    line.modules.set(pathToFileURL(entry).href, () => fakeModule(new FakeRemote(), { name: "acme" }));
  }

  it("are found as npm installs them for every directory", async () => {
    const line = commandLine();
    const modules = join(line.directory, "lib", "node_modules");
    offer(line, modules);
    const world = { installedAt: join(modules, "slipway") };
    const run = await line.slipway(["providers", "--json"], world);
    expect(run.json()).toMatchObject([{ name: "local" }, { name: "acme", foundBy: "installation", ok: true }]);
    expect((await line.slipway(["spawn", "--key", "a", "--provider", "acme"], world)).exitCode).toBe(0);
  });

  it("are found in the package.json that lists the command, also from a store of packages", async () => {
    const line = commandLine();
    const global = join(line.directory, "global");
    put(join(global, "package.json"), JSON.stringify({ dependencies: { slipway: "*", "@acme/compute": "*" } }));
    offer(line, join(global, "node_modules"));
    const stored = join(global, ".store", "slipway@1.0.0", "node_modules");
    put(join(stored, "@acme/other/package.json"), manifest("@acme/other"));
    const run = await line.slipway(["providers", "--json"], { installedAt: join(stored, "slipway") });
    expect(run.json()).toMatchObject([{ name: "local" }, { package: "@acme/compute", foundBy: "installation" }]);
  });

  it("give way to what the project depends on", async () => {
    const line = commandLine();
    const modules = join(line.directory, "lib", "node_modules");
    offer(line, modules);
    installed(line, "own", "acme");
    const run = await line.slipway(["providers", "--json"], { installedAt: join(modules, "slipway") });
    expect(run.json()).toMatchObject([{ name: "local" }, { name: "acme", package: "own", foundBy: "dependency" }]);
  });

  it("are found for a name that the user-level configuration gives, and the project's wins field by field", async () => {
    const line = commandLine();
    const modules = join(line.directory, "lib", "node_modules");
    offer(line, modules);
    const remote = new FakeRemote();
    line.modules.set(pathToFileURL(join(modules, "@acme/compute/index.js")).href, () =>
      fakeModule(remote, { name: "acme" }),
    );
    symlinkSync(modules, join(line.directory, "linked"));
    put(
      join(line.directory, ".config/slipway/config.json"),
      JSON.stringify({ provider: "acme", providers: { acme: { package: "@acme/compute", config: { zone: "z" } } } }),
    );
    const world = { installedAt: join(modules, "slipway") };
    expect((await line.slipway(["list"], world)).exitCode).toBe(0);
    expect(remote.called("register")[0]?.[0]).toEqual({ zone: "z" });
    line.write("slipway.config.json", JSON.stringify({ providers: { acme: { config: { zone: "y" } } } }));
    expect((await line.slipway(["list"], world)).exitCode).toBe(0);
    expect(remote.called("register")[1]?.[0]).toEqual({ zone: "y" });
  });
});
