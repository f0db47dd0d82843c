// A proof that cannot fail proves nothing: it must see what is left.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { leftoversIn, processesOf, removed } from "./proof.mjs";

test("sees a process by its environment, its child, and the child that it left behind", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-proof-"));
  const child = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], { env: { ...process.env, TAG: directory } });
  const [chunk] = await once(child.stdout, "data");
  const grandchild = Number(String(chunk));
  t.after(() => {
    process.kill(grandchild);
    removed(directory);
  });
  const before = processesOf(directory);
  assert.equal(before.length, 2);
  child.kill("SIGKILL");
  await once(child, "exit");
  const left = processesOf(directory, before);
  assert.equal(left.length, 1);
  assert.match(left[0], new RegExp(`^${grandchild} `));
});

test("sees the directory of an instance, and none where there is none", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-proof-"));
  t.after(() => removed(directory));
  assert.deepEqual(leftoversIn(directory), []);
  mkdirSync(join(directory, "instances", "one"), { recursive: true });
  assert.deepEqual(leftoversIn(directory), [join("instances", "one")]);
  assert.equal(removed(directory), true);
  assert.equal(existsSync(directory), false);
});
