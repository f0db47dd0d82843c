import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReachCase, shell } from "./fixture.ts";

/** What a session promises of files. */
export const copyCases: readonly ReachCase[] = [
  {
    id: "copy.binary",
    title: "a megabyte of any bytes goes to the instance and comes back as it was",
    run: async ({ session, here, there }) => {
      const bytes = randomBytes(1_000_000);
      await writeFile(join(here, "bytes"), bytes);
      await session.upload(join(here, "bytes"), `${there}/made/on the way/bytes`);
      await session.download(`${there}/made/on the way/bytes`, join(here, "back"));
      assert.ok(bytes.equals(await readFile(join(here, "back"))), "other bytes came back");
    },
  },
  {
    id: "copy.tree",
    title: "a directory's content goes into a directory that need not be there, with modes and links",
    run: async ({ session, here, there }) => {
      await mkdir(join(here, "tree", "deep"), { recursive: true });
      await writeFile(join(here, "tree", "deep", "run"), "#!/bin/sh\nexit 5\n", { mode: 0o755 });
      await writeFile(join(here, "tree", "a name\nwith -n 'é'"), "named");
      await symlink("deep/run", join(here, "tree", "link"));
      await session.upload(join(here, "tree"), `${there}/new/target`);
      assert.equal((await session.exec([`${there}/new/target/link`])).exitCode, 5);
      await session.download(`${there}/new/target`, join(here, "back"));
      assert.deepEqual((await readdir(join(here, "back"))).sort(), ["a name\nwith -n 'é'", "deep", "link"]);
      assert.equal((await stat(join(here, "back", "deep", "run"))).mode & 0o111, 0o111);
    },
  },
  {
    id: "copy.hostile",
    title: "a directory on the instance whose links lead out of it writes nothing outside of the target",
    run: async ({ session, here, there }) => {
      await writeFile(join(here, "outside"), "untouched");
      const script = 'cd "$1" && mkdir d && ln -s ../outside d/out && ln -s /etc/passwd d/abs && echo x >d/file';
      assert.equal((await session.exec(shell(script, there))).exitCode, 0);
      await assert.rejects(session.download(`${there}/d`, join(here, "target")));
      assert.equal(await readFile(join(here, "outside"), "utf8"), "untouched");
      const found = await readdir(join(here, "target"), { withFileTypes: true }).catch(() => []);
      assert.deepEqual(
        found.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name),
        [],
      );
      assert.deepEqual(
        (await readdir(here)).filter((name) => name !== "target"),
        ["outside"],
      );
    },
  },
  {
    id: "copy.missing",
    title: "what is not on the instance is no empty file here",
    run: async ({ session, here, there }) => {
      await assert.rejects(session.download(`${there}/no-such-file`, join(here, "back")));
      assert.deepEqual(await readdir(here), []);
    },
  },
];
