import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Headers, pack } from "tar-stream";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type UnpackOptions, unpack } from "../src/unpack.ts";

let directory: string;
let to: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-unpack-"));
  to = join(directory, "to");
  await mkdir(to);
  await writeFile(join(directory, "outside"), "untouched");
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
});

type Member = Headers & { readonly content?: string };

async function archiveOf(...members: readonly Member[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = "", ...header } of members) archive.entry(header, content);
  archive.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archive) pieces.push(piece);
  return gzipSync(Buffer.concat(pieces));
}

async function* sent(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const take = (bytes: Uint8Array, options: Partial<UnpackOptions> = {}): Promise<void> =>
  unpack(sent(bytes), to, { as: "content", maxBytes: 1_000_000, ...options });

describe("unpack", () => {
  it.each<[string, readonly Member[]]>([
    ["a name with ..", [{ name: "../outside", content: "x" }]],
    ["a name with .. in it", [{ name: "a/../../outside", content: "x" }]],
    ["an absolute name", [{ name: "/tmp/slipway-outside", content: "x" }]],
    ["a link that leads out", [{ name: "l", type: "symlink", linkname: "../outside" }]],
    ["an absolute link", [{ name: "l", type: "symlink", linkname: "/etc/passwd" }]],
    [
      "a link that leads out through another",
      [
        { name: "a/l", type: "symlink", linkname: ".." },
        { name: "b", type: "symlink", linkname: "a/l/../outside" },
      ],
    ],
    ["a hard link to what is outside", [{ name: "l", type: "link", linkname: "../outside" }]],
    ["a hard link to what it does not hold", [{ name: "l", type: "link", linkname: "there" }]],
    ["a device", [{ name: "d", type: "character-device" }]],
    ["a fifo", [{ name: "f", type: "fifo" }]],
    ["a file without a name", [{ name: "./", type: "file", content: "x" }]],
    [
      "a file through a link of its own",
      [
        { name: "l", type: "symlink", linkname: "." },
        { name: "l", type: "directory" },
        { name: "l/f", content: "x" },
      ],
    ],
  ])("refuses %s", async (_what, members) => {
    await writeFile(join(to, "there"), "mine");
    await expect(take(await archiveOf(...members))).rejects.toThrow(
      /leads out of|the archive does not hold|is a (character-device|fifo)|without a name|and is a directory/,
    );
    expect(await readFile(join(directory, "outside"), "utf8")).toBe("untouched");
    expect((await readdir(directory)).sort()).toEqual(["outside", "to"]);
  });

  it("replaces a link that is in the way, and writes through none", async () => {
    await symlink("../outside", join(to, "f"));
    await take(await archiveOf({ name: "f", content: "new" }));
    expect(await readFile(join(to, "f"), "utf8")).toBe("new");
    await symlink("..", join(to, "d"));
    await expect(take(await archiveOf({ name: "d/outside", content: "x" }))).rejects.toThrow("is no directory");
    expect(await readFile(join(directory, "outside"), "utf8")).toBe("untouched");
  });

  it("leaves out the bits that give rights", async () => {
    await take(await archiveOf({ name: "f", content: "x", mode: 0o6755 }));
    expect((await stat(join(to, "f"))).mode & 0o7777).toBe(0o755);
  });

  it("copies hard links within the archive", async () => {
    await take(await archiveOf({ name: "a", content: "same" }, { name: "d/b", type: "link", linkname: "a" }));
    expect(await readFile(join(to, "d", "b"), "utf8")).toBe("same");
  });

  it("refuses more bytes than it may write, before it writes them", async () => {
    const bomb = await archiveOf({ name: "f", content: "0".repeat(2_000_000) });
    expect(bomb.length).toBeLessThan(10_000);
    await expect(take(bomb)).rejects.toThrow("more than 1000000 bytes");
    expect(await readdir(to)).toEqual([]);
  });

  it("counts a hard link as the copy that it becomes", async () => {
    const links = Array.from({ length: 20 }, (_, at) => ({ name: `l${at}`, type: "link", linkname: "f" }) as const);
    const bomb = await archiveOf({ name: "f", content: "0".repeat(100_000) }, ...links);
    await expect(take(bomb)).rejects.toThrow("more than 1000000 bytes");
    const sizes = await Promise.all((await readdir(to)).map(async (name) => (await stat(join(to, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000_000);
  });

  it("refuses what is cut off, and what is no archive", async () => {
    const whole = await archiveOf({ name: "f", content: "abc" });
    await expect(take(whole.subarray(0, whole.length - 20))).rejects.toThrow("unexpected end of file");
    await expect(take(Buffer.from("hello"))).rejects.toThrow("incorrect header check");
    await expect(take(gzipSync("hello".repeat(300)))).rejects.toThrow("Invalid tar header");
  });

  it("takes one file as the file that the caller named, whatever its name is", async () => {
    const file = join(to, "mine");
    const archive = await archiveOf({ name: "../../outside", content: "x" });
    await unpack(sent(archive), file, { as: "file", maxBytes: 100_000 });
    expect(await readFile(file, "utf8")).toBe("x");
    expect(await readFile(join(directory, "outside"), "utf8")).toBe("untouched");
    const two = await archiveOf({ name: "a", content: "x" }, { name: "b", content: "y" });
    await expect(unpack(sent(two), file, { as: "file", maxBytes: 100_000 })).rejects.toThrow("more than one file");
    const link = await archiveOf({ name: "a", type: "symlink", linkname: "/etc/passwd" });
    await expect(unpack(sent(link), file, { as: "file", maxBytes: 100_000 })).rejects.toThrow("more than one file");
  });
});
