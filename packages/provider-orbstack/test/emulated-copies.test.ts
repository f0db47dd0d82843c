import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type OrbstackEmulator, orbstackEmulator } from "../emulator/index.ts";
import { tagText } from "../src/tags.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";

// Between the look at a path and the copy a program inside can do anything.
const hook = vi.hoisted((): { afterLook: () => void } => ({ afterLook: () => undefined }));
vi.mock(import("../emulator/machine-root.ts"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    hostPath: (...args) => {
      const path = actual.hostPath(...args);
      hook.afterLook();
      return path;
    },
  };
});

let directory: string;
let emulator: OrbstackEmulator;
/** A directory of the host that no machine may see. */
let host: string;
let folder: string;
let root: string;
beforeEach(async () => {
  [directory, host, folder] = [directoryOf("orbstack"), directoryOf("host"), directoryOf("files")];
  emulator = orbstackEmulator({ directory });
  onTestFinished(emulator.close);
  await run("create", "debian", "m");
  await run("run", "-m", "m", "-u", "root", "true");
  root = join(directory, "machines", readdirSync(join(directory, "machines"))[0] ?? "", "root");
});
afterEach(() => {
  hook.afterLook = () => undefined;
});

function directoryOf(name: string): string {
  const made = mkdtempSync(join(tmpdir(), `slipway-${name}-`));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const run = (...argv: readonly string[]) => emulator.orbctl(argv);

/** The machine's `/srv/d` becomes a link to the host's directory. */
function swap(): void {
  renameSync(join(root, "srv/d"), join(root, "srv/old"));
  symlinkSync(host, join(root, "srv/d"));
}

describe.skipIf(withoutBubblewrap !== null)("where a directory becomes a link", () => {
  beforeEach(() => {
    mkdirSync(join(root, "srv/d"), { recursive: true });
    writeFileSync(join(root, "srv/d/f0"), "own\n");
  });

  test("nothing of the host is pulled", async () => {
    writeFileSync(join(host, "f0"), "of the host\n");
    hook.afterLook = swap;
    const target = join(folder, "pulled");
    expect(await run("pull", "-m", "m", "/srv/d/f0", target)).toEqual({
      stdout: "",
      stderr: "cp: /srv/d/f0: No such file or directory\n",
      code: 1,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("nothing is pushed to the host", async () => {
    writeFileSync(join(folder, "file"), "pushed");
    hook.afterLook = swap;
    for (const target of ["/srv/d", "/srv/d/file", "/srv/d/deep/file"]) {
      const answer = await run("push", "-m", "m", join(folder, "file"), target);
      expect([target, answer.code, answer.stderr.split(":")[0]]).toEqual([target, 1, "cp"]);
      rmSync(join(root, "srv/d"));
      renameSync(join(root, "srv/old"), join(root, "srv/d"));
    }
    expect(readdirSync(host)).toEqual([]);
  });

  test("nothing of the host is cloned", async () => {
    for (let at = 0; at < 3_000; at++) {
      writeFileSync(join(root, `srv/d/f${at}`), "own\n");
      writeFileSync(join(host, `f${at}`), "of the host\n");
    }
    // Beside this process, which may do nothing else while it copies.
    const script =
      'd=$1 h=$2 r=$3; until set -- "$d"/machines/*/root/srv/d/f*; [ "$#" -gt 3000 ]; do :; done; mv "$r/srv/d" "$r/srv/old"; ln -s "$h" "$r/srv/d"';
    const meanwhile = spawn("sh", ["-c", script, "sh", directory, host, root], { stdio: "ignore" });
    onTestFinished(() => void meanwhile.kill("SIGKILL"));
    expect(await run("clone", "m", "copy")).toMatchObject({ stderr: "", code: 0 });
    const copy = readdirSync(join(directory, "machines")).find((id) => !root.includes(id)) ?? "";
    const copied = join(directory, "machines", copy, "root/srv/d");
    const read = readdirSync(copied).filter((name) => readFileSync(join(copied, name), "utf8") !== "own\n");
    expect(read).toEqual([]);
    expect(readdirSync(join(root, "srv"))).toContain("old");
  });
});

test("a folder is pushed over no link that a machine has in its place", async () => {
  mkdirSync(join(root, "srv/tree"), { recursive: true });
  symlinkSync(host, join(root, "srv/tree/sub"));
  mkdirSync(join(folder, "tree/sub"), { recursive: true });
  writeFileSync(join(folder, "tree/sub/file"), "pushed");
  expect((await run("push", "-m", "m", join(folder, "tree"), "/srv")).code).toBe(1);
  expect(readdirSync(host)).toEqual([]);
});

test("a folder goes in and out as it is", async () => {
  mkdirSync(join(folder, "tree/sub"), { recursive: true });
  writeFileSync(join(folder, "tree/sub/file"), "text", { mode: 0o700 });
  symlinkSync("sub/file", join(folder, "tree/link"));
  expect(await run("push", "-m", "m", join(folder, "tree"), "/srv/new/name")).toMatchObject({ stderr: "", code: 0 });
  expect(readdirSync(join(root, "srv/new/name"))).toEqual(["link", "sub"]);
  mkdirSync(join(folder, "out"));
  expect(await run("pull", "-m", "m", "/srv/new/name", "/srv/new/name/link", join(folder, "out"))).toMatchObject({
    code: 0,
  });
  expect(readFileSync(join(folder, "out/name/link"), "utf8")).toBe("text");
  expect(readFileSync(join(folder, "out/file"), "utf8")).toBe("text");
});

test("who owns a machine is not read through a link that it made", async () => {
  const [machine] = await emulator.control.machines();
  const tag = { id: machine?.nativeId ?? "", owner: "of the host", key: "k", specHash: "s", labels: {} };
  mkdirSync(join(host, "slipway"));
  writeFileSync(join(host, "slipway/tag.json"), tagText(tag));
  mkdirSync(join(root, "var/lib"), { recursive: true });
  rmSync(join(root, "var/lib/slipway"), { recursive: true, force: true });
  symlinkSync(join(host, "slipway"), join(root, "var/lib/slipway"));
  expect(await emulator.control.machines()).toMatchObject([{ owner: null, key: null }]);
  // The same tag, where it is the machine's own.
  rmSync(join(root, "var/lib/slipway"));
  renameSync(join(host, "slipway"), join(root, "var/lib/slipway"));
  expect(await emulator.control.machines()).toMatchObject([{ owner: "of the host", key: "k" }]);
});
