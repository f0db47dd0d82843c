import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { type CommandLine, commandLine, installed } from "./command-line.ts";
import { FakeRemote, fakeModule, fault } from "./fake-provider.ts";

const NAMES = ["acme", "beta", "gamma"];

/** Three providers beside the embedded one, each configured by a variable, and how often a module was imported. */
function line(): CommandLine & { readonly imported: string[] } {
  const made = commandLine();
  const imported: string[] = [];
  const dependencies = NAMES.map((name) => `provider-${name}`);
  for (const name of NAMES) {
    const variables = [`${name.toUpperCase()}_KEY`];
    const entry = installed(made, `provider-${name}`, name, { variables, dependencies });
    made.modules.set(pathToFileURL(entry).href, () => {
      imported.push(name);
      return fakeModule(new FakeRemote(), { name });
    });
  }
  return { ...made, imported };
}
const envOf = (made: CommandLine, more: Record<string, string>) => ({
  env: { XDG_STATE_HOME: made.state, HOME: made.directory, ...more },
});

describe("the providers that are asked", () => {
  it("are those that are configured, and no other is imported", async () => {
    const made = line();
    const run = await made.slipway(["list"], envOf(made, { BETA_KEY: "x", GAMMA_KEY: "" }));
    expect(run.exitCode).toBe(0);
    expect(made.imported).toEqual(["beta"]);
    expect(run.stderr).toContain("Not asked, since nothing here configures them: acme (ACME_KEY), gamma (GAMMA_KEY).");
  });

  it("are all that an empty list is about, and it says so, to a program as well", async () => {
    const made = line();
    expect((await made.slipway(["list"])).stderr).toMatch(/^No instances on local\.\nNot asked, /);
    const run = await made.slipway(["list", "--json"]);
    expect(run).toMatchObject({ exitCode: 0, stdout: "[]\n" });
    expect(run.error()).toMatchObject({ code: "NOT_ASKED", providers: NAMES });
    expect((await made.slipway(["reconcile", "--json"])).error()).toMatchObject({ code: "NOT_ASKED" });
    expect(made.imported).toEqual([]);
  });

  it.each([
    ["named by slipway.config", { providers: { acme: { config: {} } } }],
    ["the default of slipway.config", { provider: "acme" }],
  ])("are also one that is %s", async (_name, config) => {
    const made = line();
    made.write("slipway.config.json", JSON.stringify(config));
    expect((await made.slipway(["list"])).exitCode).toBe(0);
    expect(made.imported).toEqual(["acme"]);
  });

  it("are also one that is named, and then no other", async () => {
    const made = line();
    const run = await made.slipway(["list", "--provider", "gamma"], envOf(made, { BETA_KEY: "x" }));
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).not.toContain("Not asked");
    expect(made.imported).toEqual(["gamma"]);
  });

  it("are also one on which a launch is remembered; if it cannot be loaded, that is named and fails", async () => {
    const made = line();
    expect((await made.slipway(["spawn", "--provider", "acme", "--key", "k"])).exitCode).toBe(0);
    made.imported.length = 0;
    for (const command of ["list", "reconcile"]) {
      expect((await made.slipway([command])).exitCode, command).toBe(0);
    }
    expect(made.imported).toEqual(["acme", "acme"]);
    made.modules.clear();
    for (const command of ["list", "reconcile", "doctor"]) {
      const run = await made.slipway([command]);
      expect(run.exitCode, command).toBe(1);
      expect(run.stdout + run.stderr, command).toContain("acme");
    }
  });

  it("are all where the remembered launches cannot be read", async () => {
    const made = line();
    expect((await made.slipway(["spawn", "--provider", "acme", "--key", "k"])).exitCode).toBe(0);
    made.imported.length = 0;
    for (const file of readdirSync(made.state, { recursive: true, encoding: "utf8" })) {
      if (/[0-9a-f]{40}\.json$/.test(file)) writeFileSync(join(made.state, file), "{");
    }
    expect((await made.slipway(["list"])).exitCode).toBe(1);
    expect([...made.imported].sort()).toEqual(NAMES);
  });

  it("are said by doctor, and by reconcile", async () => {
    const made = line();
    const doctor = await made.slipway(["doctor"]);
    expect(doctor.exitCode).toBe(0);
    expect(doctor.stdout).toMatch(/ok +provider acme +nothing here configures it, and it was not asked/);
    expect((await made.slipway(["reconcile"])).stderr).toContain("Not asked");
    expect(made.imported).toEqual([]);
  });

  it("are not those that a failed call was about: its error names the provider to look at", async () => {
    const made = commandLine();
    const remote = new FakeRemote();
    const entry = installed(made, "provider-acme", "acme", { variables: ["ACME_KEY"] });
    made.modules.set(pathToFileURL(entry).href, () => fakeModule(remote, { name: "acme" }));
    expect((await made.slipway(["spawn", "--provider", "acme", "--key", "k"])).exitCode).toBe(0);
    remote.failures.set("terminate", () => fault("NETWORK", "acme", "cut", undefined, "unknown"));
    const run = await made.slipway(["terminate", "i-1", "--provider", "acme"]);
    expect(run.stderr).toContain("look with `slipway list --provider acme` before you try again");
  });

  it("are also one whose package says no variables", async () => {
    const made = commandLine();
    const entry = installed(made, "other", "other");
    made.modules.set(pathToFileURL(entry).href, () => fakeModule(new FakeRemote(), { name: "other" }));
    expect((await made.slipway(["list"])).stderr).not.toContain("Not asked");
  });
});
