import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nameFor } from "@slipway/core";
import { expect, test } from "vitest";
import { runModule } from "./processes.ts";
import { isolations, world } from "./worlds.ts";

const [best] = isolations;
if (best === undefined) throw new Error("there is always an isolation");
const { isolation } = best;

/** Why this machine gives no mount namespace to a test; null if it does. */
const noNamespace: string | null = (() => {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "pipe" });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "unshare failed") : String(error);
  }
})();

/** Below a mount namespace in which `mount` was done on the directory. */
function mounted(mount: string, directory: string): readonly string[] {
  return ["unshare", "-m", "sh", "-c", `${mount}; shift; exec "$@"`, "sh", directory];
}

// At 340 and 516 KiB it is the sandbox that finds no space, and has none for its complaint either.
test.skipIf(noNamespace !== null).each(["340k", "516k", "1m"])(
  `a full disk of %s is one clear error, and what is there can be ended (${noNamespace ?? "tried"})`,
  async (size) => {
    const { owner, stateDirectory, live } = world(isolation);
    const below = mounted(`mount -t tmpfs -o size=${size},mode=700 none "$1"`, stateDirectory);
    const { stdout, stderr } = await runModule("test/programs/full-disk.ts", [stateDirectory, owner], { below });
    expect(stderr).toBe("");
    const told = JSON.parse(stdout) as {
      spawned: string[];
      refusal: unknown;
      listed: string[];
      states: string[];
      left: number;
    };
    expect(told.spawned.length).toBeGreaterThan(0);
    expect(told.refusal).toMatchObject({
      code: "QUOTA_EXCEEDED",
      effect: "none",
      provider: "local",
      operation: "spawn",
    });
    expect((told.refusal as { message: string }).message).toMatch(/no (room|space) left/i);
    expect([...told.listed].sort()).toEqual([...told.spawned].sort());
    expect(told.left).toBe(0);
    expect(live()).toEqual([]);
  },
  60_000,
);

test.skipIf(noNamespace !== null)(
  `a state that cannot be written still tells, and refuses each write (${noNamespace ?? "tried"})`,
  async () => {
    const { owner, stateDirectory, provider, live } = world(isolation);
    const { id } = await provider.spawn({ key: "one" });
    const below = mounted('mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"', stateDirectory);
    const { stdout, stderr } = await runModule("test/programs/read-only.ts", [stateDirectory, owner, id], { below });
    expect(stderr).toBe("");
    const refused = ["AUTH_ERROR", "none", expect.stringMatching(/EROFS, it cannot be written$/)];
    expect(JSON.parse(stdout)).toEqual({
      list: [[id, "running"]],
      get: "running",
      exec: "in\n",
      spawn: refused,
      again: refused,
      terminate: refused,
      createVolume: refused,
    });
    expect(live()).toEqual([id]);
  },
  60_000,
);

test("a corrupt record is an error that names its file, never a shorter list, and costs nothing else", async () => {
  const { owner, stateDirectory, provider, live } = world(isolation);
  const whole = await provider.spawn({ key: "whole" });
  const other = await provider.spawn({ key: "other" });
  const path = join(stateDirectory, "instances", nameFor(owner, "other"), "record.json");
  const text = readFileSync(path, "utf8");
  const broken = ["", "{", "[]", "null", text.slice(0, -20), text.replace('"other"', '"third"'), '{"version":2}', "\0"];
  for (const content of broken) {
    writeFileSync(path, content);
    const refusal = { code: "INTERNAL", effect: "none", message: expect.stringContaining(path) };
    await expect(provider.list()).rejects.toMatchObject({
      ...refusal,
      hint: expect.stringContaining("Repair"),
    });
    await expect(provider.get(other.id)).rejects.toMatchObject(refusal);
    await expect(provider.spawn({ key: "other" })).rejects.toMatchObject(refusal);
    await expect(provider.terminate(other.id)).rejects.toMatchObject({ code: "INTERNAL" });
    expect((await provider.get(whole.id))?.status).toBe("running");
    expect(live()).toEqual([other.id, whole.id].sort());
  }
  writeFileSync(path, text);
  expect(await provider.list()).toHaveLength(2);
});

test("what a crash left between two steps goes with the next call on its key, and that of others with any terminate", async () => {
  const { owner, stateDirectory, provider } = world(isolation);
  const instances = join(stateDirectory, "instances");
  const name = nameFor(owner, "mine");
  for (const left of [`.new-${name}-1`, `.gone-${name}-2`, `.gone-${nameFor(owner, "other")}-3`]) {
    mkdirSync(join(instances, left, "root"), { recursive: true });
  }
  expect(await provider.list()).toEqual([]);
  const { id } = await provider.spawn({ key: "mine" });
  const others = `.gone-${nameFor(owner, "other")}-3`;
  expect(readdirSync(instances).sort()).toEqual([others, name]);
  mkdirSync(join(instances, `.gone-${name}-4`));
  await provider.terminate(id);
  expect(readdirSync(instances)).toEqual([]);
});

test("a thing with our name and without our tag is neither taken nor touched nor listed", async () => {
  const { owner, stateDirectory, provider } = world(isolation);
  const theirs = join(stateDirectory, "instances", nameFor(owner, "k"));
  mkdirSync(theirs, { recursive: true });
  writeFileSync(join(theirs, "file"), "theirs");
  await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ code: "CONFLICT", effect: "none" });
  expect(await provider.list({ owner: "*" })).toEqual([]);
  expect(readFileSync(join(theirs, "file"), "utf8")).toBe("theirs");
  renameSync(theirs, `${theirs}-elsewhere`);
  expect((await provider.spawn({ key: "k" })).key).toBe("k");
});
