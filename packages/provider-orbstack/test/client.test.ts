import { tmpdir } from "node:os";
import type { Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jsonIn } from "../src/answers.ts";
import { orbstack } from "../src/index.ts";
import { failure } from "./failure.ts";
import { orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

describe("the program", () => {
  const missing = (file: string): CommandError =>
    new CommandError({ fault: "notFound", reason: "it was not found", command: [file], started: false, durationMs: 0 });
  const only =
    (path: string, tried: string[] = []): Exec =>
    async (file, args, options) => {
      if (!tried.includes(file)) tried.push(file);
      if (file !== path) throw missing(file);
      return await world.exec(file, args, options);
    };

  test("is looked for where OrbStack puts it, and kept", async () => {
    const tried: string[] = [];
    const runtime = { exec: only("/Users/me/.orbstack/bin/orbctl", tried), clock: world.clock };
    const provider = orbstack({ owner: "t", variables: { HOME: "/Users/me" }, runtime });
    await provider.list();
    await provider.list();
    expect(tried).toEqual(["orbctl", "/Users/me/.orbstack/bin/orbctl"]);
    const app = "/Applications/OrbStack.app/Contents/MacOS/bin/orbctl";
    const inApp = { exec: only(app), clock: world.clock };
    await orbstack({ owner: "t", variables: { HOME: "/Users/me" }, runtime: inApp }).list();
  });

  test("is nowhere: one clear error, with what to install", async () => {
    const runtime = { exec: only("never"), clock: world.clock };
    const error = await failure(orbstack({ owner: "t", variables: { HOME: "/h" }, runtime }).spawn({}));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none", scope: "provider" });
    expect(error.hint).toContain("brew install orbstack");
    expect(error.message).toContain("orbctl");
  });

  test("is a folder: the hint says so", async () => {
    const provider = orbstack({ owner: "t", executable: tmpdir(), variables: { HOME: "/h" } });
    const error = await failure(provider.list());
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect(error.hint).toBe(
      `${tmpdir()} is a folder: name the program itself, in SLIPWAY_ORBCTL or the option executable.`,
    );
  });

  test("is never orb", async () => {
    await world.provider.spawn({ key: "a" });
    expect(new Set(world.sent.map(({ file }) => file))).toEqual(new Set(["orbctl"]));
  });

  test("that was named is the only one that is tried, the option before the variable", async () => {
    const tried: string[] = [];
    const runtime = { exec: only("never", tried), clock: world.clock };
    await failure(orbstack({ owner: "t", variables: { SLIPWAY_ORBCTL: "/x/orbctl" }, runtime }).list());
    await failure(
      orbstack({ owner: "t", executable: "/y/orbctl", variables: { SLIPWAY_ORBCTL: "/x/orbctl" }, runtime }).list(),
    );
    expect(tried).toEqual(["/x/orbctl", "/y/orbctl"]);
  });

  test("gets HOME, also under a stripped environment, and the stand-in's variables only where it was named", async () => {
    const provider = world.another({ variables: { SPEED: "5" } });
    await provider.list();
    for (const { options } of world.sent) {
      expect(options.env?.["HOME"]).toMatch(/^\//);
      expect(options.env).not.toHaveProperty("SPEED");
    }
    const named = world.another({ variables: { HOME: "/h", SPEED: "5", SLIPWAY_ORBCTL: "/x" } });
    await named.list();
    expect(world.sent.at(-1)?.options.env).toEqual({ HOME: "/h", SPEED: "5" });
  });

  test.each(["2.2.1", "1.9.2", "2.1.9"])("of version %s is too old", async (version) => {
    await world.control.setVersion(version);
    const error = await failure(world.provider.list());
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toBe(`OrbStack is ${version}, and 2.2.2 is needed`);
    expect(error.hint).toContain("Update");
  });

  test("has its version asked once", async () => {
    await world.provider.list();
    await world.provider.spawn({ key: "a" });
    await world.provider.list();
    expect(world.verbs().filter((verb) => verb === "version")).toHaveLength(1);
  });

  test("that is something else is told", async () => {
    const exec: Exec = async () => ({ exitCode: 0, signal: null, stdout: "kubectl 1.2\n", stderr: "" });
    expect((await failure(orbstack({ owner: "t", variables: {}, runtime: { exec } }).list())).code).toBe("UNSUPPORTED");
  });
});

describe("what it prints", () => {
  test.each(["stdout", "stderr"] as const)("with an update notice on %s", async (banner) => {
    await world.control.setEngineSettings({ banner });
    const { id } = await world.provider.spawn({ key: "a" });
    expect(await world.provider.list()).toHaveLength(1);
    expect(await world.provider.get("01KHVDCW7HTAGRPMB823KADP9B")).toBeNull();
    await world.provider.terminate(id);
  });

  test("with keys that are unknown, missing, or newer", async () => {
    await world.control.setEngineSettings({ extraFields: true, oldSchema: true });
    const resources = { cpus: 3, memoryBytes: 1024 ** 3 };
    const { id } = await world.provider.spawn({ key: "a", resources });
    await world.control.setEngineSettings({ limitsInRecord: true });
    expect((await world.another().get(id))?.resources).toEqual(resources);
  });

  test("as null is UNAVAILABLE, and so is an engine that goes down between two commands", async () => {
    await world.provider.spawn({ key: "a" });
    await world.control.setEngineSettings({ listReturnsNull: true });
    expect((await failure(world.provider.list())).code).toBe("UNAVAILABLE");
    let asked = 0;
    const exec: Exec = async (file, args, options) => {
      if (args[0] === "status") asked += 1;
      if (args[0] === "list") return { exitCode: 0, signal: null, stdout: "[]\n", stderr: "" };
      if (args[0] === "status" && asked > 1) return { exitCode: 1, signal: null, stdout: "Stopped\n", stderr: "" };
      return await world.exec(file, args, options);
    };
    const error = await failure(world.another({ runtime: { exec } }).list());
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect(error.message).toBe("OrbStack is Stopped");
  });

  test("while it is stopped is never `nothing`", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.setEngine("Stopped");
    const calls = [
      world.provider.list(),
      world.provider.get(id),
      world.provider.terminate(id),
      world.provider.spawn({ key: "b" }),
      world.provider.exec(id, ["true"]),
      world.provider.listSnapshots(),
    ];
    for (const call of calls) expect(await failure(call)).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect(world.verbs().filter((verb) => verb === "start")).toEqual([]);
  });

  test("while it is stuck is UNAVAILABLE; a limit of the caller's stays one", async () => {
    await world.control.addFaults({ command: "status", does: "hang-before", times: 2 });
    expect(await failure(world.provider.list())).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect(await failure(world.provider.list({}, { timeoutMs: 1_000 }))).toMatchObject({ code: "TIMEOUT" });
  });

  test("of a machine that is named as another's id is not that one", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.addUnmanaged("01KHVDCW7HTAGRPMB823KADP9B");
    expect(await world.provider.get("01KHVDCW7HTAGRPMB823KADP9B")).toBeNull();
    await world.provider.terminate("01KHVDCW7HTAGRPMB823KADP9B");
    expect((await world.provider.get(id))?.status).toBe("running");
    expect(await world.control.machines()).toHaveLength(2);
  });

  test("about another machine than was asked for is not believed", async () => {
    const exec: Exec = async (file, args, options) => {
      const answer = await world.exec(file, args, options);
      if (args[0] !== "info") return answer;
      return { ...answer, stdout: answer.stdout.replace(/"name":"[^"]*"/, '"name":"slip-of-another"') };
    };
    const error = await failure(world.another({ runtime: { exec } }).spawn({ key: "a" }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  });

  test.each([
    ['{"a":1}', { a: 1 }],
    ["null\n", null],
    ["│ box │\n[1]\n\n│ box │\n", [1]],
    ['│ box │\n{\n "a": [\n1]\n}\n│ [x] │', { a: [1] }],
    ["[1", undefined],
    ["", undefined],
    ["nothing here", undefined],
  ])("JSON in %j", (text, value) => {
    expect(jsonIn(text)).toEqual(value);
  });
});

describe("programs inside", () => {
  test.each([0, 1, 7, 126, 127])("end with %i, and that is a result", async (code) => {
    const { id } = await world.provider.spawn({ key: "a" });
    expect((await world.provider.exec(id, ["sh", "-c", `exit ${code}`])).exitCode).toBe(code);
  });

  test("that are not there, or begin with a dash, end with 127", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    for (const argv of [["no-such-program"], ["-x"], ["--help"]]) {
      expect((await world.provider.exec(id, argv)).exitCode).toBe(127);
    }
  });

  test("that print what orbctl prints are still results", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    for (const said of ["[-32098] machine not found: 'x'", "user: unknown thing", "unknown flag: --x"]) {
      const result = await world.provider.exec(id, ["sh", "-c", `echo "${said}" >&2; exit 1`]);
      expect(result).toEqual({ exitCode: 1, stdout: "", stderr: `${said}\n` });
    }
  });

  test("are told from orbctl's own failures with the same exit code", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    world.control.faults.add({ operation: "run", when: "before", row: "services-late" });
    expect(await failure(world.provider.exec(id, ["true"]))).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    await world.control.addFaults({ command: "run", does: "fail", stderr: "what is that\n", exitCode: 7 });
    expect(await failure(world.provider.exec(id, ["true"]))).toMatchObject({ code: "INTERNAL", effect: "unknown" });
  });

  test("stream what they print, and nothing of ours", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const seen = { out: "", err: "" };
    const result = await world.provider.exec(id, ["sh", "-c", "echo one; echo two >&2; sleep 0.1; echo three >&2"], {
      onStdout: (chunk) => (seen.out += chunk),
      onStderr: (chunk) => (seen.err += chunk),
    });
    expect(seen).toEqual({ out: "one\n", err: "two\nthree\n" });
    expect(result).toEqual({ exitCode: 0, stdout: "one\n", stderr: "two\nthree\n" });
  });

  test("get arguments and input byte for byte", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const odd = ["a b", "", "$HOME", "'\"", "-m", "é\n"];
    const shown = await world.provider.exec(id, ["sh", "-c", 'printf "<%s>" "$@"', "sh", ...odd]);
    expect(shown.stdout).toBe(odd.map((each) => `<${each}>`).join(""));
    const text = "line\nwithout end é";
    expect((await world.provider.exec(id, ["cat"], { stdin: text })).stdout).toBe(text);
  });

  test("of a machine that was deleted under our feet are an error", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const exec: Exec = async (file, args, options) => {
      if (args[0] === "run") await world.control.remove(id);
      return await world.exec(file, args, options);
    };
    expect((await failure(world.another({ runtime: { exec } }).exec(id, ["true"]))).code).toBe("NOT_FOUND");
  });
});
