// What is checked of each packed package.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cjs, esm, loaded, tsconfig, typed } from "./programs.mjs";
import { start } from "./start.mjs";
import { closure, installedOf, installInto } from "./tarballs.mjs";
import { olderNode } from "./toolchains.mjs";

const CORE = "@slipway/core";
/** Entries that need a peer which is optional: it is installed beside them, or the entry left to the workspace's own tests. */
const NEEDS = { "@slipway/core/schema": { zod: "^4.6.0" }, "@slipway/contract-tests/vitest": undefined };

/** Its own one or two, core, and what it uses of provider-kit; zod alone would be 95 (ADR 0041). */
const MOST_MODULES = 17;

/** Core and this provider, nothing else: used from ESM and CJS on each Node, typed on each compiler. */
export function checkProvider(tarball, { place, tarballs, toolchains, report }) {
  const { name } = tarball;
  const folder = path.join(place, name.replace("@slipway/", ""));
  const core = tarballs.find((candidate) => candidate.name === CORE);
  const types = { "@types/node": "24.10.1" };
  report.check(`${name}: installs beside ${CORE}, and brings no other provider`, () => {
    installInto(folder, [core, tarball], tarballs, types);
    const expected = closure(name, tarballs).map((wanted) => wanted.name);
    same(installedOf(folder, tarballs), expected.sort());
    if (existsSync(path.join(folder, "node_modules", "vitest"))) throw new Error("vitest came along");
  });
  checkEntries(name, entriesOf(tarball), folder, toolchains, report);
  report.check(`${name}: its import loads at most ${MOST_MODULES} modules`, () => {
    const { stdout } = start(process.execPath, ["--input-type=module", "-e", loaded(name)], { cwd: folder });
    const urls = JSON.parse(stdout);
    const files = urls.filter((url) => !url.startsWith("node:"));
    if (files.length > MOST_MODULES) throw new Error(`it loads ${files.length}:\n${files.join("\n")}`);
    const heavy = urls.filter((url) => /^node:(crypto|util)$/.test(url));
    if (heavy.length > 0) throw new Error(`it imports ${heavy.join(", ")}, all of it, where it needs one function`);
  });
  const { provider } = tarball.manifest.slipway;
  const programs = { "consumer.mjs": esm(name, provider), "consumer.cjs": cjs(name, provider) };
  const source = typed(name, provider);
  const files = {
    ...programs,
    "consumer.mts": source,
    "consumer.cts": source,
    "tsconfig.json": JSON.stringify(tsconfig),
  };
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);

  for (const { label, bin } of toolchains.nodes) {
    for (const [kind, file] of [
      ["ESM", "consumer.mjs"],
      ["CJS", "consumer.cjs"],
    ]) {
      report.check(`${name}: ${kind} on ${label}`, () => {
        const state = path.join(folder, `state-${kind}-${label.replace(/\W+/g, "-")}`);
        mkdirSync(state, { recursive: true });
        const { stderr } = start(bin, [file], { cwd: folder, env: { XDG_STATE_HOME: state } });
        same(stderr, "");
      });
    }
  }
  for (const { label, bin } of toolchains.compilers) {
    report.check(`${name}: ${label}`, () => start(process.execPath, [bin, "-p", "tsconfig.json"], { cwd: folder }));
  }
}

/** Every entry of a package loads, by import and by require. */
export function checkLoads(tarball, { place, tarballs, toolchains, report }) {
  const { name } = tarball;
  const folder = path.join(place, name.replace("@slipway/", ""));
  const core = tarballs.filter((candidate) => candidate.name === CORE && needsCore(tarball));
  const entries = entriesOf(tarball);
  const peers = Object.assign({}, ...entries.map((entry) => NEEDS[entry] ?? {}));
  report.check(`${name}: installs, without what it does not need`, () => {
    installInto(folder, [...core, tarball], tarballs, peers);
    same(
      installedOf(folder, tarballs),
      closure(name, tarballs)
        .map((wanted) => wanted.name)
        .sort(),
    );
  });
  checkEntries(name, entries, folder, toolchains, report);
}

function needsCore({ name, manifest }) {
  return name !== CORE && CORE in { ...manifest.dependencies, ...manifest.peerDependencies };
}

function checkEntries(name, entries, folder, { nodes }, report) {
  const list = JSON.stringify(entries);
  for (const { label, bin } of nodes) {
    report.check(
      `${name}: ${entries.length === 1 ? "the entry loads" : `${entries.length} entries load`} on ${label}`,
      () => {
        start(bin, ["--input-type=module", "-e", `for (const entry of ${list}) await import(entry);`], { cwd: folder });
        start(bin, ["-e", `for (const entry of ${list}) require(entry);`], { cwd: folder });
      },
    );
  }
}

function entriesOf({ name, manifest }) {
  // A pattern names files that are data.
  const keys = Object.keys(manifest.exports ?? {}).filter((key) => key !== "./package.json" && !key.includes("*"));
  const entries = keys.map((key) => path.posix.join(name, key));
  return entries.filter((entry) => !Object.hasOwn(NEEDS, entry) || NEEDS[entry]);
}

/** These play another program, and answer in its words. Their packages' own tests run them. */
const PLAYS_ANOTHER = /-emulator$/;

/** The command starts where it promises to, and says in one line where it does not. */
export function checkCommand(tarball, { place, toolchains, report }) {
  const { name, manifest } = tarball;
  const folder = path.join(place, name.replace("@slipway/", ""));
  for (const [command, target] of Object.entries(manifest.bin)) {
    if (PLAYS_ANOTHER.test(command)) continue;
    const file = path.join(folder, "node_modules", name, target);
    for (const { label, bin } of toolchains.nodes) {
      report.check(`${command}: --version and --help on ${label}`, () => {
        const { version } = JSON.parse(readFileSync(path.join(folder, "node_modules", name, "package.json"), "utf8"));
        same(start(bin, [file, "--version"], { cwd: folder }).stdout.trim(), version);
        start(bin, [file, "--help"], { cwd: folder });
      });
    }
    const older = olderNode();
    if (!older) continue;
    report.check(`${command}: one line on ${older.label}`, () => {
      const { status, stdout, stderr } = start(older.bin, [file, "--version"], { cwd: folder, expect: null });
      if (status === 0 || stdout !== "" || !/^[^\n]*22\.13[^\n]*\n$/.test(stderr)) {
        throw new Error(`exit code ${status}\n${stdout}${stderr}`);
      }
    });
  }
}

function same(actual, expected) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`expected ${right}\n     got ${left}`);
}
