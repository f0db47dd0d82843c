import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { identify, identifySelf } from "@slipway/provider-kit/sandbox";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { makeRunKey, removeDeadRunKeys } from "../src/run-key.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "slipway-run-key-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
});

/** A process that has ended. */
async function deadProcess() {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const identity = child.pid === undefined ? null : await identify(child.pid);
  child.kill("SIGKILL");
  await once(child, "exit");
  return { ...identity, host: hostname() };
}

/** What a key says of its run. */
async function ownerOfNewKey(): Promise<{ readonly host?: string }> {
  await using key = await makeRunKey(parent);
  return JSON.parse(await readFile(join(dirname(key.identityFile), "owner.json"), "utf8"));
}

async function keyOf(name: string, owner: unknown): Promise<string> {
  const directory = join(parent, name);
  await mkdir(directory, { mode: 0o700 });
  if (owner !== undefined) await writeFile(join(directory, "owner.json"), JSON.stringify(owner), { mode: 0o600 });
  await writeFile(join(directory, "id_ed25519"), "a key", { mode: 0o600 });
  return directory;
}

describe("the key of one run", () => {
  it("is open to this user alone, and goes away with the run", async () => {
    const key = await makeRunKey(parent);
    const [name = ""] = await readdir(parent);
    expect((await stat(join(parent, name))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(join(parent, name))) {
      const { mode } = await stat(join(parent, name, file));
      // Only what is no secret may be read by others, and nobody gets that far.
      expect([file, mode & (file.endsWith(".pub") ? 0o022 : 0o077)]).toEqual([file, 0]);
    }
    await key[Symbol.asyncDispose]();
    expect(await readdir(parent)).toEqual([]);
  });

  it("of a run that was killed goes away with the next one", async () => {
    await keyOf("slipway-key-killed", await deadProcess());
    await using _key = await makeRunKey(parent);
    expect(await readdir(parent)).toHaveLength(1);
    expect(await readdir(parent)).not.toContain("slipway-key-killed");
  });

  it("is made where no process can be told from another, and stays there until its run removes it", async () => {
    const unsupported = (): Promise<never> => Promise.reject(new Error("no process table on this platform"));
    await using key = await makeRunKey(parent, unsupported);
    expect((await stat(key.identityFile)).isFile()).toBe(true);
    await removeDeadRunKeys(parent);
    expect(await readdir(parent)).toHaveLength(1);
  });

  it("of a machine that shares the directory stays: its processes cannot be seen from here", async () => {
    await keyOf("slipway-key-shared", { ...(await deadProcess()), bootId: "another", host: "another" });
    const { host = "" } = await ownerOfNewKey();
    await keyOf("slipway-key-restarted", { ...(await deadProcess()), bootId: "another", host });
    await removeDeadRunKeys(parent);
    expect(await readdir(parent)).toEqual(["slipway-key-shared"]);
  });

  it("stays while its run lives, and where nobody can know", async () => {
    const self = { ...(await identifySelf()), host: hostname() };
    await keyOf("slipway-key-alive", self);
    await keyOf("slipway-key-container", { ...self, namespace: "another" });
    await keyOf("slipway-key-unsaid", undefined);
    await keyOf("slipway-key-odd", "nonsense");
    await keyOf("something-else", await deadProcess());
    const before = await readdir(parent);
    await removeDeadRunKeys(parent);
    expect(await readdir(parent)).toEqual(before);
  });

  it("of a process whose id another one has now goes away", async () => {
    await keyOf("slipway-key-reused", { ...(await identifySelf()), host: hostname(), startTime: "1" });
    await removeDeadRunKeys(parent);
    expect(await readdir(parent)).toEqual([]);
  });

  it("removes nothing behind a link, nor in a directory that others may write", async () => {
    const dead = await deadProcess();
    const elsewhere = await keyOf("kept", dead);
    await symlink(elsewhere, join(parent, "slipway-key-link"));
    await keyOf("slipway-key-open", dead);
    const { chmod } = await import("node:fs/promises");
    await chmod(join(parent, "slipway-key-open"), 0o777);
    await removeDeadRunKeys(parent);
    expect((await readdir(parent)).sort()).toEqual(["kept", "slipway-key-link", "slipway-key-open"]);
    expect((await lstat(join(elsewhere, "id_ed25519"))).isFile()).toBe(true);
  });
});
