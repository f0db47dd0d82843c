import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { readFileInside, readInside, writeInside } from "../../src/sandbox/index.ts";

let root: string;
let host: string;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-inside-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  [root, host] = [join(directory, "root"), join(directory, "host")];
  mkdirSync(root);
  mkdirSync(host);
  writeFileSync(join(host, "secret"), "of the host");
});

test("a file is written and read, with the directories on its way", () => {
  writeInside(root, "/opt/node/state/nodes/a", "worker\n");
  expect(readInside(root, "opt/node/state/nodes/a")).toBe("worker\n");
  writeInside(root, "opt/node/state/nodes/a", "b");
  expect(readInside(root, "/opt/node/./state/nodes/a")).toBe("b");
  expect(readInside(root, "/none")).toBeNull();
  expect(readInside(root, "/none/at/all")).toBeNull();
  expect(readInside(root, "/opt/node")).toBeNull();
});

test("no link is followed: neither a file's nor a directory's, absolute or not", () => {
  symlinkSync(join(host, "secret"), join(root, "file"));
  symlinkSync(host, join(root, "directory"));
  symlinkSync("../host", join(root, "up"));
  for (const path of ["/file", "/directory/secret", "/up/secret", "/../host/secret", "directory/../secret", "/", ""]) {
    expect(readInside(root, path)).toBeNull();
    expect(() => writeInside(root, path, "written")).toThrow(expect.objectContaining({ reason: "invalid" }));
  }
  expect(() => writeInside(root, "/directory/new/file", "written")).toThrow("without following a link");
  expect(readdirSync(host)).toEqual(["secret"]);
  expect(readFileSync(join(host, "secret"), "utf8")).toBe("of the host");
});

test("a pipe keeps nobody waiting, and of a file without an end a part is read", () => {
  execFileSync("mkfifo", [join(root, "pipe")]);
  expect(readInside(root, "/pipe")).toBeNull();
  expect(() => writeInside(root, "/pipe", "x")).toThrow("without following a link");
  writeFileSync(join(root, "sparse"), "");
  truncateSync(join(root, "sparse"), 2 ** 40);
  expect(readInside(root, "/sparse")?.length).toBe(1024 * 1024);
});

test("no descriptor is left open", () => {
  const open = (): number => (existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0);
  symlinkSync(host, join(root, "directory"));
  const before = open();
  for (let at = 0; at < 50; at += 1) {
    writeInside(root, `/a/b/${at}`, "x");
    readInside(root, "/a/b/none");
    readInside(root, "/directory/secret");
  }
  expect(open()).toBe(before);
});

test("bytes are read as they are, with the permissions of the file", () => {
  writeFileSync(join(root, "bytes"), Uint8Array.of(0, 255, 128), { mode: 0o700 });
  const found = readFileInside(root, "/bytes");
  expect([...(found?.content ?? [])]).toEqual([0, 255, 128]);
  expect(found?.mode).toBe(0o700);
  symlinkSync("bytes", join(root, "link"));
  expect(readFileInside(root, "/link")).toBeNull();
});
