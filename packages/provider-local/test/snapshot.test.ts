import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CopyOutcome, copyTree } from "../src/copy-tree.ts";
import { hasBubblewrap, isolations, world } from "./worlds.ts";

const FILES = Array.from({ length: 3_000 }, (_, at) => `f${at}`);

/** A directory of the host that no instance may read, with a file of each name. */
function hostDirectory(names: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-host-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of names) writeFileSync(join(directory, name), "of the host\n", { mode: 0o600 });
  return directory;
}

/** The copy that is being made below the state directory, as soon as it holds what is looked for. */
async function copyHolding(stateDirectory: string, inside: string, isDone: () => boolean): Promise<void> {
  const snapshots = join(stateDirectory, "snapshots");
  const holds = (): boolean =>
    existsSync(snapshots) &&
    readdirSync(snapshots).some((name) => existsSync(join(snapshots, name, "content", inside)));
  while (!isDone() && !holds()) await turn();
}

describe.skipIf(!hasBubblewrap)("a snapshot with bubblewrap", () => {
  test("reads nothing of the host where a directory becomes a link while it is copied", async () => {
    const host = hostDirectory(FILES);
    const { provider, stateDirectory } = world("bubblewrap");
    const { id, rootDirectory } = await provider.spawn({ key: "k" });
    const own = 'mkdir -p /srv/d && cd /srv/d && for at in $(seq 0 2999); do echo own >"f$at"; done';
    await provider.exec(id, ["sh", "-c", own]);
    let done = false;
    const taking = provider.createSnapshot(id, { key: "s" }).finally(() => {
      done = true;
    });
    await copyHolding(stateDirectory, "srv/d/f0", () => done);
    // What the instance can do at any moment by itself: inside the name leads nowhere.
    await provider.exec(id, ["sh", "-c", `mv /srv/d /srv/old && ln -s ${host} /srv/d`]);
    const { contentDirectory } = await taking;
    expect(existsSync(join(rootDirectory, "srv/old/f0"))).toBe(true);
    const copied = join(contentDirectory, "srv/d");
    const read = readdirSync(copied).filter((name) => readFileSync(join(copied, name), "utf8") !== "own\n");
    expect(read).toEqual([]);
  }, 120_000);

  test("holds files that nobody may read inside, and gives them back", async () => {
    const { provider } = world("bubblewrap");
    const { id } = await provider.spawn({ key: "k" });
    await provider.exec(id, ["sh", "-c", "mkdir /srv/d && echo closed >/srv/d/f && chmod 0 /srv/d/f /srv/d"]);
    const snapshot = await provider.createSnapshot(id, { key: "s" });
    const copy = await provider.spawn({ key: "copy", fromSnapshot: snapshot.id });
    expect((await provider.exec(copy.id, ["cat", "/srv/d/f"])).stdout).toBe("closed\n");
  });
});

describe.each(isolations)("a hostile snapshot with $isolation", ({ isolation }) => {
  test("makes nothing on the host where the place of a volume leads through a link", async () => {
    const host = hostDirectory([]);
    const { provider } = world(isolation);
    const { id, rootDirectory } = await provider.spawn({ key: "k" });
    mkdirSync(join(rootDirectory, "srv/links"));
    for (const target of [host, `../../../oldroot${host}`, `${host}/missing`, "."]) {
      rmSync(join(rootDirectory, "srv/links/one"), { force: true });
      symlinkSync(target, join(rootDirectory, "srv/links/one"));
      const snapshot = await provider.createSnapshot(id, { key: target });
      const volume = await provider.createVolume({ key: target, sizeBytes: 1024 });
      const volumes = [{ id: volume.id, mountPath: "/srv/links/one/deep/data" }];
      await expect(provider.spawn({ key: "copy", fromSnapshot: snapshot.id, volumes })).rejects.toMatchObject({
        code: "INVALID_SPEC",
        effect: "none",
      });
    }
    expect(readdirSync(host)).toEqual([]);
    expect(await provider.list({ keys: ["copy"] })).toEqual([]);
  });
});

describe("a copy of a tree in use", () => {
  const GONE = "cp: cannot stat '/source/a': No such file or directory";
  const REPLACED = "cp: skipping file '/source/b', as it was replaced while being copied";
  const BAD = "cp: error reading '/source/c': Input/output error";
  const said = (...complaints: string[]): CopyOutcome => ({ code: complaints.length === 0 ? 0 : 1, complaints });
  /** Which passes were made, and how it ended. */
  const copied = async (live: boolean, ...outcomes: readonly CopyOutcome[]): Promise<readonly [number, string]> => {
    const to = mkdtempSync(join(tmpdir(), "slipway-copy-"));
    onTestFinished(() => rmSync(to, { recursive: true, force: true }));
    const call = { operation: "createSnapshot", live, confinedBy: null } as const;
    let passes = 0;
    const result = copyTree("/source", to, call, async () => {
      // A pass begins with nothing of the one before.
      expect(readdirSync(to)).toEqual([]);
      writeFileSync(join(to, "left"), "");
      return outcomes[passes++] ?? said("cp: no outcome left");
    });
    const end = await result.then(
      () => "made",
      (error: unknown) => String(error),
    );
    return [passes, end];
  };

  test("goes without what vanished, and is made again where something was replaced", async () => {
    expect(await copied(true, said())).toEqual([1, "made"]);
    expect(await copied(true, said(GONE, GONE))).toEqual([1, "made"]);
    expect(await copied(true, said(GONE, REPLACED), said(GONE))).toEqual([2, "made"]);
    for (const line of [
      "cp: cannot access '/source/d': Not a directory",
      "cp: cannot open '/source/e' for reading: Too many levels of symbolic links",
      "cp: cannot read symbolic link '/source/l': Invalid argument",
      "cp: cannot overwrite non-directory '/target/d' with directory '/source/d'",
    ]) {
      expect(await copied(true, said(line), said(line), said())).toEqual([3, "made"]);
    }
  });

  test("goes without what is replaced again and again", async () => {
    expect(await copied(true, said(REPLACED), said(REPLACED), said(REPLACED))).toEqual([3, "made"]);
  });

  test("fails for anything else, and one at rest for anything at all", async () => {
    expect((await copied(true, said(GONE, BAD)))[1]).toContain("Input/output error");
    expect((await copied(false, said(GONE)))[1]).toContain("No such file or directory");
    expect((await copied(true, { code: null, complaints: [] }))[1]).toContain("cp exited with null");
  });
});
