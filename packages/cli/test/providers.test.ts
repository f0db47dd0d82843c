import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { commandLine, installed } from "./command-line.ts";
import { FakeRemote, fakeModule } from "./fake-provider.ts";

describe("finding providers", () => {
  it("takes the dependencies of the nearest package.json, and scans nothing else", async () => {
    const line = commandLine();
    installed(line, "not-listed", "hidden");
    const entry = installed(line, "@acme/compute", "acme");
    line.modules.set(pathToFileURL(entry).href, () => fakeModule(new FakeRemote(), { name: "acme" }));
    mkdirSync(join(line.cwd, "deep", "er"), { recursive: true });
    const run = await line.slipway(["providers", "--json"], { cwd: join(line.cwd, "deep", "er") });
    expect(run.exitCode).toBe(0);
    expect(run.json()).toMatchObject([
      { name: "local", package: "@slipway/provider-local", foundBy: "embedded", ok: true },
      { name: "acme", package: "@acme/compute", version: "1.2.3", foundBy: "dependency", ok: true, tier: "testing" },
    ]);
  });

  it("does not import a provider that is not asked for", async () => {
    const line = commandLine();
    installed(line, "@acme/compute", "acme", { source: "throw new Error('imported')" });
    expect((await line.slipway(["list", "--provider", "local"])).exitCode).toBe(0);
    expect((await line.slipway(["spawn", "--key", "a"])).exitCode).toBe(0);
  });

  it("follows links, as package managers make them", async () => {
    const line = commandLine();
    const entry = installed(line, "real", "acme", { dependencies: ["linked"] });
    symlinkSync(join(line.cwd, "node_modules", "real"), join(line.cwd, "node_modules", "linked"));
    const linked = join(line.cwd, "node_modules", "linked", "index.js");
    for (const path of [entry, linked]) {
      line.modules.set(pathToFileURL(path).href, () => fakeModule(new FakeRemote(), { name: "acme" }));
    }
    expect((await line.slipway(["list", "--provider", "acme"])).exitCode).toBe(0);
  });

  it("hands the config of slipway.config to register, in each of its forms", async () => {
    const config = { provider: "acme", providers: { acme: { package: "@acme/compute", config: { zone: "z" } } } };
    const forms = {
      "slipway.config.json": JSON.stringify(config),
      "slipway.config.js": `module.exports = ${JSON.stringify(config)}`,
      "slipway.config.mjs": `export default ${JSON.stringify(config)}`,
      "slipway.config.ts": `const zone: string = "z";\nexport default ${JSON.stringify(config)}`,
    };
    for (const [name, content] of Object.entries(forms)) {
      const line = commandLine();
      const remote = new FakeRemote();
      const entry = installed(line, "@acme/compute", "acme");
      line.modules.set(pathToFileURL(entry).href, () => fakeModule(remote, { name: "acme" }));
      line.write(name, content);
      const run = await line.slipway(["spawn", "--key", "a"]);
      expect(run.exitCode, `${name}: ${run.stderr}`).toBe(0);
      expect(remote.called("register")[0]?.[0]).toEqual({ zone: "z" });
      expect(run.stdout).toContain("slipway terminate i-1\n");
    }
  });

  it("names both packages of one name, and takes the one that the config names", async () => {
    const line = commandLine();
    const entry = installed(line, "one", "acme");
    installed(line, "two", "acme", { dependencies: ["one", "two"] });
    line.modules.set(pathToFileURL(entry).href, () => fakeModule(new FakeRemote(), { name: "acme" }));
    const both = await line.slipway(["list", "--provider", "acme", "--json"]);
    expect(both.exitCode).toBe(2);
    expect(both.error()).toMatchObject({
      code: "AMBIGUOUS_PROVIDER",
      message: "provider acme is offered by one and two",
    });
    line.write("slipway.config.json", JSON.stringify({ providers: { acme: { package: "one" } } }));
    expect((await line.slipway(["list", "--provider", "acme"])).exitCode).toBe(0);
  });

  it("takes a package's name for its provider's, by the command and by the config", async () => {
    const line = commandLine();
    const entry = installed(line, "@acme/compute", "acme");
    line.modules.set(pathToFileURL(entry).href, () => fakeModule(new FakeRemote(), { name: "acme" }));
    const run = await line.slipway(["spawn", "--provider", "@acme/compute", "--key", "a", "--json"]);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.json()).toMatchObject({ provider: "acme" });
    line.write("slipway.config.json", JSON.stringify({ provider: "@acme/compute" }));
    expect((await line.slipway(["list"])).exitCode).toBe(0);
  });

  it("answers a missing provider with the line that installs it", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["spawn", "--provider", "runpod"]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("MISSING_PROVIDER");
    expect(run.stderr).toContain("npm install @slipway/provider-runpod\n");
  });

  it("answers an unknown provider with the one that was probably meant", async () => {
    const { slipway } = commandLine();
    const meant = await slipway(["list", "--provider", "lcoal", "--json"]);
    expect(meant.error()).toMatchObject({ code: "UNKNOWN_PROVIDER", hint: "Did you mean local?" });
    const none = await slipway(["list", "--provider", "something-else", "--json"]);
    expect(none.error()["hint"]).toContain("Found are: local.");
    expect((await slipway(["list", "--provider", "../../etc"])).exitCode).toBe(2);
  });

  it("shows each broken package as one row with its reason, and the others all the same", async () => {
    const line = commandLine();
    installed(line, "throws", "throws", { source: "throw new Error('first line\\nsecond line')" });
    installed(line, "nothing", "nothing", { source: "export const other = 1" });
    installed(line, "future", "future", { contract: 9 });
    installed(line, "nameless", "", { contract: 1 });
    installed(line, "syntax", "syntax", { source: "export const = ;" });
    const lies = installed(line, "lies", "lies");
    line.modules.set(pathToFileURL(lies).href, () => fakeModule(new FakeRemote(), { name: "truth" }));
    line.write("node_modules/mangled/package.json", "{ not json");
    const names = ["throws", "nothing", "future", "nameless", "syntax", "lies", "mangled", "absent"];
    line.write("package.json", JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, "*"])) }));
    const run = await line.slipway(["providers", "--json"]);
    expect(run.exitCode).toBe(1);
    const rows = run.json() as { readonly package: string; readonly ok: boolean; readonly problem: string | null }[];
    const problems = Object.fromEntries(rows.map((row) => [row.package, row.problem]));
    expect(problems).toMatchObject({
      throws: "BROKEN_PROVIDER: throws cannot be loaded: first line",
      nothing: "BROKEN_PROVIDER: nothing exports no register function",
      future: "BROKEN_PROVIDER: future speaks contract 9, and this slipway 1",
      nameless: expect.stringContaining("does not say"),
      syntax: expect.stringContaining("cannot be loaded"),
      lies: "BROKEN_PROVIDER: lies made provider truth, not lies",
      mangled: expect.stringContaining("is not a JSON object"),
      "@slipway/provider-local": null,
    });
    expect(rows.map((row) => row.package)).not.toContain("absent");
    expect((await line.slipway(["spawn", "--key", "a"])).exitCode).toBe(0);
  });

  it("shows what one provider can do, and why not the rest", async () => {
    const { slipway } = commandLine({ bare: true });
    const run = await slipway(["providers", "local"]);
    expect(run.stdout).toMatch(/spot +no +it has one price/);
    expect(run.stdout).toMatch(/refuses image +it has one image/);
    expect((await slipway(["providers", "local", "--json"])).json()).toMatchObject({
      capabilities: { snapshots: false },
      whyNot: { snapshots: "this remote has no disks to copy" },
    });
  });

  it("lets go of the providers at the end, also after a failure", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["list"]);
    await slipway(["get", "nothing"]);
    expect(remote.shutdowns).toBe(2);
  });

  it("does not wait for one that never lets go", async () => {
    const { slipway, remote, clock } = commandLine();
    remote.shutdown = () => new Promise(() => undefined);
    const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
      if (ms !== 5000) return clock.sleep(ms, signal);
    };
    expect((await slipway(["list"], { clock: { ...clock, sleep } })).exitCode).toBe(0);
  });

  it("is not misled by names that every object has", async () => {
    const line = commandLine();
    line.write("slipway.config.json", '{"providers":{"__proto__":{"package":"./x.mjs"},"local":{"config":{"a":1}}}}');
    line.write("x.mjs", "export const register = 1");
    for (const name of ["__proto__", "constructor", "toString"]) {
      const run = await line.slipway(["list", "--provider", name]);
      expect({ name, exitCode: run.exitCode }).not.toEqual({ name, exitCode: 0 });
      expect(run.stderr).toMatch(/UNKNOWN_PROVIDER|BROKEN_PROVIDER/);
    }
    expect((await line.slipway(["list", "--provider", "local"])).exitCode).toBe(0);
    expect(line.remote.called("register")[0]?.[0]).toEqual({ a: 1 });
  });
});

describe("slipway.config", () => {
  it.each([
    ["slipway.config.json", "{", "is not JSON"],
    ["slipway.config.json", "[]", "it must be an object"],
    ["slipway.config.json", '{"provders":{}}', "Did you mean providers?"],
    ["slipway.config.json", '{"providers":{"local":{"pakage":"x"}}}', "Did you mean package?"],
    ["slipway.config.json", '{"providers":{"local":"x"}}', "providers.local must be"],
    ["slipway.config.json", '{"owner":"Not Valid"}', "owner must match"],
    ["slipway.config.json", '{"provider":3}', "provider must be a name"],
    ["slipway.config.mjs", "export const a = 1", "has no default export"],
    ["slipway.config.mjs", "throw new Error('no key set')", "no key set"],
    ["slipway.config.json", '{"providers":{"x":{"package":"absent"}}}', "npm install absent"],
    ["slipway.config.json", '{"providers":{"x":{"package":"../../../etc/passwd"}}}', "BROKEN_PROVIDER"],
  ])("%s holding %s is one clear error", async (name, content, says) => {
    const line = commandLine();
    line.write(name, content);
    const run = await line.slipway(["list"]);
    expect(run.exitCode).not.toBe(0);
    expect(run.stderr).toContain(says);
    expect(run.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
    expect(line.remote.instances.size).toBe(0);
  });

  it("may not name a default that is missing, and then list the rest as if it were all", async () => {
    const line = commandLine();
    line.write("slipway.config.json", '{"provider":"aws"}');
    const run = await line.slipway(["list", "--json"]);
    expect(run.error()).toMatchObject({
      code: "MISSING_PROVIDER",
      hint: "Install it: npm install @slipway/provider-aws",
    });
    expect((await line.slipway(["terminate", "--all", "--yes"])).exitCode).toBe(2);
  });

  it("must be one file", async () => {
    const line = commandLine();
    line.write("slipway.config.json", "{}");
    line.write("slipway.config.mjs", "export default {}");
    expect((await line.slipway(["list"])).stderr).toContain("slipway.config.mjs and slipway.config.json");
  });

  it("may name the owner", async () => {
    const line = commandLine();
    line.write("slipway.config.json", '{"owner":"fleet"}');
    await line.slipway(["spawn", "--key", "a"]);
    expect([...line.remote.instances.values()][0]?.owner).toBe("fleet");
  });
});

describe("slipway init", () => {
  it.each(["js", "mjs", "json"])("writes a %s config that works, and never replaces one", async (format) => {
    const line = commandLine();
    const run = await line.slipway(["init", "--format", format, "--json"]);
    expect(run.json()).toEqual({ file: join(line.cwd, `slipway.config.${format}`), provider: "local" });
    if (format === "js") line.write("package.json", '{"type":"module"}');
    expect((await line.slipway(["list"])).stderr).toBe("No instances.\n");
    const again = await line.slipway(["init", "--format", "json"]);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain("is there already");
  });

  it("writes .mjs where .js would be no module, so that Node does not warn", async () => {
    const line = commandLine();
    line.write("package.json", "{}");
    expect((await line.slipway(["init", "--json"])).json()).toMatchObject({
      file: join(line.cwd, "slipway.config.mjs"),
    });
    const module = commandLine();
    module.write("package.json", '{"type":"module"}');
    expect((await module.slipway(["init", "--json"])).json()).toMatchObject({
      file: join(module.cwd, "slipway.config.js"),
    });
  });

  it("refuses a provider that is not there", async () => {
    const { slipway } = commandLine();
    expect((await slipway(["init", "--provider", "aws"])).stderr).toContain("npm install @slipway/provider-aws");
  });
});
