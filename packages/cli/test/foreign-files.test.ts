import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CommandLine, commandLine, installed } from "./command-line.ts";

const isRoot = process.getuid?.() === 0;
const ME = 4711;
const OTHER_USER = 4712;

/** Makes these paths somebody else's, and the command's user one who owns nothing else. */
function foreign(...paths: readonly string[]): { readonly uid: number } {
  // Root may give files away; another user cannot, and is the other user to the command's.
  if (isRoot) for (const path of paths) chownSync(path, OTHER_USER, OTHER_USER);
  return { uid: ME };
}

const owner = isRoot ? `user ${OTHER_USER}` : `user ${process.getuid?.()}`;

/** Fails the test if any module of the project is loaded. */
function loadsNothing(line: CommandLine): { readonly loadModule: (specifier: string) => Promise<unknown> } {
  return {
    loadModule: async (specifier) => {
      if (specifier.startsWith("file:")) throw new Error(`${specifier} was imported`);
      return line.modules.get(specifier)?.();
    },
  };
}

describe("files of other users", () => {
  it("runs no slipway.config of another user, in this directory or above", async () => {
    for (const name of ["slipway.config.mjs", "slipway.config.js", "slipway.config.json"]) {
      const line = commandLine();
      const file = line.write(name, "export default {}");
      mkdirSync(join(line.cwd, "deep"));
      const world = { ...foreign(file), ...loadsNothing(line), cwd: join(line.cwd, "deep") };
      const run = await line.slipway(["list", "--json"], world);
      expect(run.exitCode, name).toBe(2);
      expect(run.error()).toMatchObject({ code: "FOREIGN_PROJECT", message: expect.stringContaining(owner) });
    }
  });

  it.runIf(isRoot)(
    "runs no slipway.config in a directory of another user, and none that is a link to their file",
    async () => {
      const line = commandLine();
      const file = line.write("slipway.config.mjs", "export default {}");
      const run = await line.slipway(["list"], { ...foreign(line.cwd), ...loadsNothing(line) });
      expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining("FOREIGN_PROJECT")]);
      chownSync(line.cwd, 0, 0);
      const linked = commandLine();
      symlinkSync(file, join(linked.cwd, "slipway.config.mjs"));
      const second = await linked.slipway(["list"], { ...foreign(file), ...loadsNothing(linked) });
      expect([second.exitCode, second.stderr]).toEqual([2, expect.stringContaining(`${file} belongs to ${owner}`)]);
    },
  );

  it.runIf(isRoot)("runs no package of another user, and reads no package.json of theirs", async () => {
    const whose: readonly ((line: CommandLine, entry: string) => string)[] = [
      (line) => join(line.cwd, "package.json"),
      (line) => join(line.cwd, "node_modules", "@acme", "compute"),
      (line) => join(line.cwd, "node_modules", "@acme", "compute", "package.json"),
      (_line, entry) => entry,
    ];
    for (const path of whose) {
      const line = commandLine();
      const entry = installed(line, "@acme/compute", "acme");
      const world = { ...foreign(path(line, entry)), ...loadsNothing(line) };
      const run = await line.slipway(["list", "--provider", "acme", "--json"], world);
      expect(run.exitCode).toBe(2);
      expect(run.error()).toMatchObject({ code: "FOREIGN_PROJECT", message: expect.stringContaining(owner) });
    }
  });

  it.runIf(isRoot)("runs no harness of another user's package", async () => {
    const line = commandLine();
    const entry = installed(line, "@acme/compute", "acme");
    const run = await line.slipway(["conformance", "@acme/compute"], { ...foreign(entry), ...loadsNothing(line) });
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining("FOREIGN_PROJECT")]);
  });

  it.runIf(isRoot)("runs no shared store of another user, not even to check it", async () => {
    const line = commandLine();
    const folder = "node_modules/@slipway/store-postgres";
    const manifest = '{"name":"@slipway/store-postgres","version":"1.0.0","main":"index.js"}';
    const paths = [line.write(`${folder}/package.json`, manifest), line.write(`${folder}/index.js`, "throw 1;")];
    const env = { XDG_STATE_HOME: line.state, HOME: line.directory, SLIPWAY_DATABASE_URL: "postgres://db/ci" };
    const run = await line.slipway(["doctor"], { ...foreign(...paths), ...loadsNothing(line), env });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/failed +shared store +FOREIGN_PROJECT: .*store-postgres/);
    expect(run.stdout).not.toContain("was imported");
  });

  it.runIf(isRoot)("runs what a directory holds that the user trusts", async () => {
    const line = commandLine();
    const file = line.write("slipway.config.json", "{}");
    const settings = join(line.directory, ".config", "slipway");
    mkdirSync(settings, { recursive: true });
    writeFileSync(join(settings, "config.json"), JSON.stringify({ safeDirectories: [line.cwd] }));
    expect((await line.slipway(["list"], foreign(file, line.cwd))).exitCode).toBe(0);
    const run = await line.slipway(["list"], foreign(join(settings, "config.json")));
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining("config.json belongs to")]);
  });
});

describe("completion", () => {
  it("imports nothing, and offers what JSON files name", async () => {
    const line = commandLine();
    installed(line, "@acme/compute", "acme");
    line.write("slipway.config.mjs", "export default { provider: 'planted' }");
    const imported: string[] = [];
    const run = await line.slipway(["complete", "--", "list", "--provider", ""], {
      loadModule: async (specifier) => {
        imported.push(specifier);
        throw new Error(`${specifier} was imported`);
      },
    });
    expect([run.exitCode, imported]).toEqual([0, []]);
  });
});

describe("a state directory that others can write to", () => {
  const places = ["", "launch", "owner", "expiry", "known_hosts"];
  it.each(places)("is refused: slipway/%s by its mode", async (place) => {
    const line = commandLine();
    expect((await line.slipway(["spawn", "--key", "a"])).exitCode).toBe(0);
    const path = join(line.state, "slipway", place);
    if (place === "expiry" || place === "known_hosts") mkdirSync(path);
    chmodSync(path, 0o722);
    const run = await line.slipway(["list", "--json"]);
    expect(run.error()).toMatchObject({ code: "UNSAFE_STATE", message: expect.stringContaining(path) });
    expect(run.exitCode).toBe(2);
    expect((await line.slipway(["doctor"])).stdout).toContain("UNSAFE_STATE");
  });

  it.runIf(isRoot)("is refused by its owner", async () => {
    const line = commandLine();
    expect((await line.slipway(["spawn", "--key", "a"])).exitCode).toBe(0);
    const path = join(line.state, "slipway", "launch");
    const run = await line.slipway(["terminate", "a", "--json"], foreign(path));
    expect(run.error()).toMatchObject({ code: "UNSAFE_STATE", message: expect.stringContaining(owner) });
    expect(line.remote.called("terminate")).toEqual([]);
  });

  it("is refused if everyone may rename it; a sticky parent is as good as a closed one", async () => {
    const line = commandLine();
    mkdirSync(line.state);
    chmodSync(line.state, 0o777);
    expect((await line.slipway(["list", "--json"])).error()).toMatchObject({ code: "UNSAFE_STATE" });
    chmodSync(line.state, 0o1777);
    expect((await line.slipway(["list"])).exitCode).toBe(0);
  });
});
