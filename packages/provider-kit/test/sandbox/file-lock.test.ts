import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fileLock, isLocked, tryFileLock } from "../../src/sandbox/index.ts";
import { scratch } from "./sandboxes.ts";

const NONCE = "0".repeat(16);
const INDEX = fileURLToPath(new URL("../../src/sandbox/index.ts", import.meta.url));

/** Runs a module in a process of its own and answers what it printed. */
function inAProcess(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const flags = ["--conditions=@slipway/source", "--input-type=module-typescript", "-e", program, "--", ...args];
    const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8");
    });
    child.on("error", reject);
    child.on("close", () => resolve(printed));
  });
}

/** What a lock of this process says, with some of its fields replaced: nonce, pid, boot, namespace, start. */
async function content(changes: Readonly<Record<number, string>>): Promise<string> {
  const path = join(scratch(), "own");
  const lock = await tryFileLock(path);
  const fields = readlinkSync(path).split(".");
  await lock?.release();
  return fields.map((field, at) => changes[at] ?? field).join(".");
}

test("one holder at a time, and free after the release", async () => {
  const path = join(scratch(), "lock");
  const lock = await tryFileLock(path);
  expect(lock).not.toBeNull();
  expect([await tryFileLock(path), await isLocked(path)]).toEqual([null, true]);
  await lock?.release();
  expect(await isLocked(path)).toBe(false);
  const again = await tryFileLock(path);
  expect(again).not.toBeNull();
  await again?.release();
});

test("the lock of a dead process is taken over, and nothing of it is left", async () => {
  const directory = scratch();
  const path = join(directory, "lock");
  symlinkSync(await content({ 0: NONCE, 4: "deadbeef" }), path);
  const lock = await tryFileLock(path);
  expect(lock).not.toBeNull();
  expect(readdirSync(directory)).toEqual(["lock"]);
  expect(readlinkSync(path).length).toBeLessThan(60);
  await lock?.release();
  expect(readdirSync(directory)).toEqual([]);
});

test("a take-over that its process did not live to finish is taken over itself", async () => {
  const directory = scratch();
  const path = join(directory, "lock");
  symlinkSync(await content({ 0: NONCE, 4: "deadbeef" }), path);
  symlinkSync(await content({ 0: "1".repeat(16), 2: "deadbeef" }), `${path}.${NONCE}`);
  const lock = await tryFileLock(path);
  expect(lock).not.toBeNull();
  await lock?.release();
  expect(readdirSync(directory)).toEqual([]);
});

test("what nobody can judge counts as held: a holder in another container, and a file of somebody else", async () => {
  const directory = scratch();
  const elsewhere = join(directory, "elsewhere");
  symlinkSync(await content({ 3: "deadbeef", 4: "deadbeef" }), elsewhere);
  const foreign = join(directory, "foreign");
  writeFileSync(foreign, "");
  const link = join(directory, "link");
  symlinkSync("/somewhere", link);
  for (const path of [elsewhere, foreign, link]) expect(await tryFileLock(path)).toBeNull();
});

test("waiting ends when its caller says so", async () => {
  const path = join(scratch(), "lock");
  const lock = await tryFileLock(path);
  const attempts: number[] = [];
  const waited = await fileLock(path, async (attempt) => {
    attempts.push(attempt);
    if (attempt === 2) await lock?.release();
    return attempt < 5;
  });
  expect([attempts, waited?.path]).toEqual([[0, 1, 2], path]);
  await waited?.release();
});

test("processes that count under it lose no step, though some of them die in it", async () => {
  const directory = scratch();
  const file = join(directory, "count");
  writeFileSync(file, "0");
  const program = `
    import { readFileSync, writeFileSync } from "node:fs";
    import { setTimeout as pause } from "node:timers/promises";
    import { fileLock } from ${JSON.stringify(INDEX)};
    const [path, file, dies] = process.argv.slice(1);
    for (let i = 0; i < 20; i++) {
      const lock = await fileLock(path, async () => (await pause(1), true));
      writeFileSync(file, String(Number(readFileSync(file, "utf8")) + 1));
      if (dies === "yes" && i === 10) process.kill(process.pid, "SIGKILL");
      await lock.release();
    }`;
  const lock = join(directory, "lock");
  await Promise.all(["no", "no", "yes", "yes"].map((dies) => inAProcess(program, lock, file, dies)));
  expect(readFileSync(file, "utf8")).toBe("62");
}, 120_000);
