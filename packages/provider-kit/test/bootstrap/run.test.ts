import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BOOTSTRAP_SENTINEL_PATH, parseSentinel } from "../../src/bootstrap/index.ts";
import { eventually } from "../command/programs.ts";
import { endGroup, machine, render } from "./instance.ts";
import { pathOf, SHELLS } from "./tools.ts";

const count = (root: string): string => `echo run >>${root}/runs`;
const runs = (root: string): number => readFileSync(join(root, "runs"), "utf8").split("\n").length - 1;

it("writes its files below SLIPWAY_BOOTSTRAP_ROOT, where a machine without a root of its own gives one", () => {
  const below = machine();
  const target = join(below.root, "own");
  const rendered = render({
    script: `cat ${target}/etc/motd; echo ran >${below.root}/ran`,
    files: [{ path: "/etc/motd", content: "hello\n", mode: "0640" }],
  });
  const { run, log } = machine({ SLIPWAY_BOOTSTRAP_ROOT: target });
  expect(run(rendered.content).exitCode).toBe(0);
  expect(log()).toBe("hello\n");
  expect(statSync(join(target, "etc/motd")).mode & 0o777).toBe(0o640);
  expect(existsSync(join(below.root, "ran"))).toBe(true);
});

describe("state", () => {
  it("is succeeded with exit code 0, the checksum of what ran, and times", () => {
    const { run, sentinel, log } = machine();
    const before = Math.floor(Date.now() / 1000) * 1000;
    const rendered = render({ script: "echo out; echo err >&2" });
    expect(run(rendered.content)).toEqual({ exitCode: 0, output: "slipway-bootstrap: exit code 0\n" });
    const state = sentinel();
    expect(state).toMatchObject({ state: "succeeded", exitCode: 0, checksum: rendered.checksum });
    expect(Date.parse(state.startedAt ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(state.finishedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(state.startedAt ?? ""));
    expect(log()).toBe("out\nerr\n");
  });

  it("is failed with the script's exit code, which the bootstrap ends with too", () => {
    const { run, sentinel } = machine();
    expect(run(render({ script: "exit 7" }).content).exitCode).toBe(7);
    expect(sentinel()).toMatchObject({ state: "failed", exitCode: 7 });
  });

  it.each([
    ["a syntax error", "if then (", 2],
    ["a command that is missing", "no-such-command-anywhere", 127],
    ["a signal", "kill -KILL $$", 137],
    ["an empty script", "", 0],
  ])("tells %s", (_, script, exitCode) => {
    const { run, sentinel } = machine();
    run(render({ script }).content);
    expect(sentinel().exitCode).toBe(exitCode);
  });

  it("is pending before, running while it runs, and stays running when it is killed", async () => {
    const { root, start, sentinel, run } = machine();
    const script = `${count(root)}; touch ${root}/begun; [ -e ${root}/go ] && exit 0; while :; do sleep 0.02; done`;
    const { content } = render({ script });
    expect(sentinel()).toMatchObject({ state: "pending", checksum: null });
    const child = start(content);
    await eventually(() => existsSync(join(root, "begun")));
    expect(sentinel()).toMatchObject({ state: "running", finishedAt: null });
    endGroup(child);
    await eventually(() => child.signalCode !== null);
    expect(sentinel().state).toBe("running");
    expect(sentinel().exitCode).toBeUndefined();

    // It never finished, so it may run again.
    writeFileSync(join(root, "go"), "");
    expect(run(content).exitCode).toBe(0);
    expect(runs(root)).toBe(2);
    expect(sentinel().state).toBe("succeeded");
  });

  it("is the same for a reader at any moment: never a half file", async () => {
    const { state, start } = machine();
    const child = start(render({ script: "true" }).content);
    const seen = new Set<string>();
    await eventually(() => {
      const path = join(state, "sentinel");
      seen.add(parseSentinel(existsSync(path) ? readFileSync(path, "utf8") : null).state);
      return child.exitCode !== null && seen.has("succeeded");
    });
    expect([...seen].filter((one) => one === "unknown" || one === "failed")).toEqual([]);
    expect(readdirSync(state).toSorted()).toEqual(["lock", "output.log", "script", "sentinel"]);
  });
});

describe("running it again", () => {
  it.for(SHELLS)("does nothing in the same boot once it has finished, under $name", (shell, { skip }) => {
    if (shell.missing !== null) skip(shell.missing);
    const { root, run, sentinel } = machine();
    const { content } = render({ script: `${count(root)}; exit 5` });
    expect(run(content, shell).exitCode).toBe(5);
    const first = sentinel();
    expect(run(content, shell)).toEqual({
      exitCode: 5,
      output: "slipway-bootstrap: it has run in this boot already, exit code 5\n",
    });
    expect(runs(root)).toBe(1);
    expect(sentinel()).toEqual(first);
  });

  it("runs another script, and the same one in another boot", () => {
    const { root, state, run } = machine();
    const { content } = render({ script: count(root) });
    run(content);
    run(render({ script: `${count(root)} ` }).content);
    expect(runs(root)).toBe(2);
    run(content);
    expect(runs(root)).toBe(3);
    const sentinel = join(state, "sentinel");
    writeFileSync(sentinel, readFileSync(sentinel, "utf8").replace(/^boot=.*$/m, "boot=00000000-other-boot"));
    run(content);
    expect(runs(root)).toBe(4);
  });

  it("runs once when it is started many times at the same moment", async () => {
    const { root, start, sentinel } = machine();
    const { content } = render({ script: `${count(root)}; sleep 0.2` });
    const children = Array.from({ length: 6 }, () => start(content));
    await eventually(() => children.every((child) => child.exitCode !== null));
    expect(children.map((child) => child.exitCode)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(runs(root)).toBe(1);
    expect(sentinel().state).toBe("succeeded");
  });

  it("runs where nothing can be locked", () => {
    const { root, run, sentinel } = machine();
    const bin = only(root, ["base64", "cat", "chmod", "date", "grep", "mkdir", "mv", "rm", "sha256sum"]);
    writeFileSync(join(bin, "flock"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const shell = { name: "", missing: null, argv: () => ["/bin/sh"], path: () => bin };
    const { exitCode, output } = run(render({ script: count(root) }).content, shell);
    expect([exitCode, sentinel().state, runs(root)]).toEqual([0, "succeeded", 1]);
    expect(output).toContain("cannot be locked");
  });

  it("is not held up by what the script left running", async () => {
    const { root, run } = machine();
    const { content } = render({ script: `sleep 60 & echo $! >${root}/daemon` });
    run(content);
    expect(run(content).output).toContain("already");
    process.kill(Number(readFileSync(join(root, "daemon"), "utf8")));
  });

  it("takes a sentinel that is broken for none", () => {
    const { root, state, run } = machine();
    mkdirSync(state);
    writeFileSync(join(state, "sentinel"), "\u0000\u0001 garbage\nstate=exited\nexitCode=0");
    run(render({ script: count(root) }).content);
    expect(runs(root)).toBe(1);
  });
});

describe("how it is run", () => {
  it("works through stdin too, but then cannot tell its own checksum", () => {
    const { root, state, sentinel } = machine();
    const { content } = render({ script: `${count(root)}; cat` });
    const env = { PATH: process.env["PATH"] ?? "", SLIPWAY_BOOTSTRAP_DIR: state };
    for (const _ of [1, 2]) {
      expect(spawnSync("/bin/sh", ["-s"], { input: content, env, cwd: root }).status).toBe(0);
    }
    expect(sentinel()).toMatchObject({ state: "succeeded", checksum: null });
    expect(runs(root)).toBe(1);
  });

  it("does nothing at all when it arrived in part", () => {
    const { content } = render({ script: "echo never", environment: { A: "b" } });
    for (const share of [0.2, 0.5, 0.8, 0.999]) {
      const { root, state, run } = machine();
      run(content.slice(0, Math.floor(content.length * share)));
      expect(existsSync(state)).toBe(false);
      expect(readdirSync(root)).toEqual(["bootstrap.sh"]);
    }
  });

  it("records another checksum when it was changed on its way", () => {
    const { run, sentinel } = machine();
    const rendered = render({ script: "true" });
    run(rendered.content.replace("umask 077", "umask 037"));
    expect(sentinel().state).toBe("succeeded");
    expect(sentinel().checksum).toMatch(/^sha256:/);
    expect(sentinel().checksum).not.toBe(rendered.checksum);
  });

  it("keeps script and output to their owner, and shows the state to everyone", () => {
    const { state, run } = machine();
    run(render({ script: "umask 022; umask" }).content);
    const mode = (name: string): string => (statSync(join(state, name)).mode & 0o777).toString(8);
    expect([mode("script"), mode("output.log"), mode("sentinel")]).toEqual(["700", "600", "644"]);
  });

  it("runs the script with the umask it found, and with an empty stdin", () => {
    const { run, log } = machine();
    run(render({ script: "umask; cat; echo end" }).content);
    const found = process.umask().toString(8).padStart(4, "0");
    expect(log()).toBe(`${found}\nend\n`);
  });

  it("works without sha256sum and base64, if there is openssl", () => {
    const { root, run, sentinel, log } = machine();
    const bin = only(root, ["cat", "chmod", "date", "grep", "id", "mkdir", "mv", "openssl", "rm"]);
    const shell = { name: "", missing: null, argv: () => ["/bin/sh"], path: () => bin };
    const rendered = render({ script: 'echo "$A"', environment: { A: "é ".repeat(200) } });
    expect(run(rendered.content, shell).exitCode).toBe(0);
    expect(log()).toBe(`${"é ".repeat(200)}\n`);
    expect(sentinel()).toMatchObject({ state: "succeeded", checksum: rendered.checksum });
  });

  it("fails with its reason in the log where nothing can decode", () => {
    const { root, run, sentinel, log } = machine();
    const bin = only(root, ["cat", "chmod", "date", "grep", "id", "mkdir", "mv", "rm"]);
    const shell = { name: "", missing: null, argv: () => ["/bin/sh"], path: () => bin };
    run(render({ script: "true", environment: { A: "b" } }).content, shell);
    expect(sentinel().state).toBe("failed");
    expect(log()).toContain("slipway-bootstrap: ");
  });

  it("says so, and runs nothing, where the state cannot be written", () => {
    const { root, run } = machine({ SLIPWAY_BOOTSTRAP_DIR: "/dev/null/state" });
    const { exitCode, output } = run(render({ script: count(root) }).content);
    expect(exitCode).toBe(73);
    expect(output).toContain("slipway-bootstrap: cannot make /dev/null/state");
    expect(existsSync(join(root, "runs"))).toBe(false);
  });

  it("has its sentinel where the constant says, without the variable", () => {
    const { content } = render({ script: "true" });
    expect(content).toContain(`:-${BOOTSTRAP_SENTINEL_PATH.replace(/\/sentinel$/, "")}}`);
  });
});

describe("files", () => {
  it("replace what is there, links too, and come with their mode", () => {
    const { root, run } = machine();
    const target = join(root, "target");
    writeFileSync(target, "old");
    const link = join(root, "link");
    symlinkSync(target, link);
    run(render({ script: "", files: [{ path: link, content: "new" }] }).content);
    expect(lstatSync(link).isSymbolicLink()).toBe(false);
    expect([readFileSync(link, "utf8"), readFileSync(target, "utf8")]).toEqual(["new", "old"]);
    expect(statSync(link).mode & 0o777).toBe(0o644);
  });

  it("that cannot be written fail the bootstrap before the script runs", () => {
    const { root, run, sentinel, log } = machine();
    mkdirSync(join(root, "taken"));
    run(render({ script: count(root), files: [{ path: join(root, "taken"), content: "x" }] }).content);
    expect(sentinel()).toMatchObject({ state: "failed", exitCode: 73 });
    expect(log()).toContain(`${join(root, "taken")} is a directory`);
    expect(existsSync(join(root, "runs"))).toBe(false);
    expect(readdirSync(root)).not.toContain(expect.stringContaining(".slipway"));
  });

  it("get parents that others may enter", () => {
    const { root, run } = machine();
    run(render({ script: "", files: [{ path: join(root, "a/b/c"), content: "x", mode: "0600" }] }).content);
    expect([statSync(join(root, "a")).mode & 0o777, statSync(join(root, "a/b")).mode & 0o777]).toEqual([0o755, 0o755]);
  });
});

describe("secrets", () => {
  it("stand in no argument list, neither as they are nor in base64", () => {
    const { root, state, run } = machine();
    const bin = join(root, "bin");
    mkdirSync(bin);
    const called = join(root, "called");
    for (const name of ["base64", "cat", "chmod", "date", "flock", "grep", "id", "mkdir", "mv", "rm", "sha256sum"]) {
      writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s ' ${name} "$@" >>${called}\nexec ${pathOf(name)} "$@"\n`);
      chmodSync(join(bin, name), 0o755);
    }
    const secret = "tskey-auth-k3cr3t";
    const shell = { name: "", missing: null, argv: () => ["/bin/sh"], path: () => `${bin}:${process.env["PATH"]}` };
    const config = {
      script: "true",
      registrationToken: secret,
      environment: { KEY: secret },
      files: [{ path: join(root, "key"), content: secret }],
    };
    expect(run(render(config).content, shell).exitCode).toBe(0);
    const all = readFileSync(called, "utf8");
    expect(all).toContain("base64 -d");
    for (const form of [secret, Buffer.from(secret).toString("base64").slice(0, 12)]) expect(all).not.toContain(form);
    for (const name of ["sentinel", "output.log"])
      expect(readFileSync(join(state, name), "utf8")).not.toContain(secret);
    rmSync(called);
  });
});

/** A directory with just these commands. */
function only(root: string, names: readonly string[]): string {
  const bin = join(root, "few");
  mkdirSync(bin);
  for (const name of names) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${pathOf(name)} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
