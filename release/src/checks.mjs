import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./run.mjs";
import { readJson } from "./workspace-copy.mjs";

/** A user's empty folder with these packages, as npm puts them there. */
function project(world, name, ...packages) {
  const folder = path.join(world.place, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  return install(world, folder, ...packages);
}

function install({ env }, folder, ...packages) {
  run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: folder, env });
  return folder;
}

/** The version of one package that the registry calls the latest. */
function published({ env, place }, name) {
  return run("npm", ["view", name, "version"], { cwd: place, env }).stdout.trim();
}

function installed(folder, name) {
  return readJson(folder, "node_modules", name, "package.json").version;
}

function play(folder, text) {
  writeFileSync(path.join(folder, "play.mjs"), text);
  return run(process.execPath, ["play.mjs"], { cwd: folder }).stdout.trim();
}

// What a user of Lambda does, against its emulator: the whole way through core, kit and provider.
const LAUNCH = `
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
const { clock, fetch } = lambdaEmulator();
const provider = lambda({ apiKey: EMULATOR_API_KEY, owner: "release", runtime: { clock, fetch } });
const sshKeys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4 me@laptop"];
const { id } = await provider.spawn({ key: "one", gpu: { type: "a10", count: 1 }, sshKeys });
await provider.terminate(id);
console.log("launched and ended");
`;

function releases(world, name, kind, expected) {
  const others = Object.fromEntries(Object.keys(world.workspace.versions()).map((one) => [one, published(world, one)]));
  assert.deepEqual(world.workspace.bump(name, kind), { [name]: expected });
  world.workspace.publish(world.env);
  for (const [one, before] of Object.entries(others)) {
    assert.equal(published(world, one), one === name ? expected[1] : before, one);
  }
}

/** A release that is to come: the version after the present one. */
function next(version, kind) {
  const [major, minor, patch] = version.split(".").map(Number);
  return kind === "patch" ? `${major}.${minor}.${patch + 1}` : `${major}.${minor + 1}.0`;
}

const CORE = "@slipway/core";
const LAMBDA = "@slipway/provider-lambda";

export const checks = [
  {
    title: "everything is published, with its own version",
    check: (world) => {
      world.workspace.publish(world.env);
      const versions = world.workspace.versions();
      for (const [name, version] of Object.entries(versions)) assert.equal(published(world, name), version, name);
      return `${Object.keys(versions).length} packages`;
    },
  },
  {
    title: "core and one provider come alone: no other provider, no SDK, no test suite",
    check: (world) => {
      world.user = project(world, "user", CORE, LAMBDA);
      const modules = path.join(world.user, "node_modules");
      const ours = readdirSync(path.join(modules, "@slipway")).sort();
      assert.deepEqual(ours, ["core", "provider-kit", "provider-lambda"]);
      for (const absent of ["@aws-sdk", "@smithy", "vitest", "slipway"])
        assert.ok(!existsSync(path.join(modules, absent)), absent);
      assert.equal(play(world.user, LAUNCH), "launched and ended");
      return `${readdirSync(modules).length} entries in node_modules`;
    },
  },
  {
    title: "a patch of one provider touches no other version, and reaches who has it",
    check: (world) => {
      const before = installed(world.user, LAMBDA);
      releases(world, LAMBDA, "patch", [before, next(before, "patch")]);
      install(world, world.user, `${LAMBDA}@^${before}`);
      assert.equal(installed(world.user, LAMBDA), next(before, "patch"));
    },
  },
  {
    title: "a provider that was built against the previous core works with the next one",
    check: (world) => {
      const before = installed(world.user, CORE);
      const { version } = readJson(world.workspace.folder, "packages/core/package.json");
      world.oldCore = before;
      releases(world, CORE, "minor", [version, next(version, "minor")]);
      install(world, world.user, `${CORE}@latest`);
      assert.equal(installed(world.user, CORE), next(version, "minor"));
      const nested = path.join(world.user, "node_modules", LAMBDA, "node_modules", CORE);
      assert.ok(!existsSync(nested), "npm keeps a core of its own for the provider");
      assert.equal(play(world.user, LAUNCH), "launched and ended");
    },
  },
  {
    title: "two copies of core know each other's errors, and doctor tells of them",
    check: (world) => {
      const folder = project(world, "two-cores", CORE, LAMBDA, `older-core@npm:${CORE}@${world.oldCore}`, "slipway");
      const told = play(
        folder,
        `import { isProviderError, ProviderError } from "@slipway/core";
import * as older from "older-core";
const details = { provider: "p", operation: "spawn", message: "full", effect: "none" };
console.log(ProviderError === older.ProviderError);
console.log(isProviderError(new older.ProviderError("CAPACITY_ERROR", details), "CAPACITY_ERROR"));
console.log(older.isProviderError(new ProviderError("CAPACITY_ERROR", details), "CAPACITY_ERROR"));`,
      );
      assert.deepEqual(told.split("\n"), ["false", "true", "true"]);
      // As an installation that was patched together leaves it.
      const ofLambda = path.join(folder, "node_modules", LAMBDA, "node_modules", CORE);
      cpSync(path.join(folder, "node_modules", "older-core"), ofLambda, { recursive: true });
      const slipway = path.join(folder, "node_modules", ".bin", "slipway");
      const env = {
        HOME: folder,
        XDG_STATE_HOME: path.join(folder, "state"),
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`,
      };
      const { output } = run(slipway, ["doctor"], { cwd: folder, env, expect: null });
      assert.match(output, /two copies of @slipway\/core/);
    },
  },
];
