import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStore, launchId, reconcile } from "../src/index.ts";
import { type Child, startChild } from "./children/child-process.ts";
import { directoryProvider } from "./children/directory-provider.ts";

let root: string;
let children: Child[];
const start = (program: string, ...args: readonly string[]): Child => {
  const child = startChild(program, ...args);
  children.push(child);
  return child;
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-processes-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.process.kill("SIGKILL");
  await Promise.all(children.map((child) => child.ended));
  await rm(root, { recursive: true, force: true });
});

describe("real processes over one file store", { timeout: 300_000 }, () => {
  test("twenty of them with one key make one instance, and all get it", async () => {
    const [store, world] = [join(root, "store"), join(root, "world")];
    const twenty = Array.from({ length: 20 }, () => start("launch-once.ts", store, world, "k", "100"));
    const ends = await Promise.all(twenty.map((child) => child.ended));
    expect(ends.filter(({ code }) => code !== 0)).toEqual([]);
    const made = await readdir(world);
    expect(made).toHaveLength(1);
    expect(new Set(ends.map(({ output }) => `${output.trim()}.json`))).toEqual(new Set(made));
    // No lease and no draft is left behind, only the record.
    expect((await readdir(store)).filter((name) => !name.endsWith(".json"))).toEqual([]);
  });

  test.each(["before-intent", "after-intent", "after-spawn", "after-record"])(
    "kill -9 %s, then the same launch again: one instance, nothing untracked",
    async (point) => {
      const [store, world] = [join(root, "store"), join(root, "world")];
      expect((await start("launch-once.ts", store, world, "k", "200", point).ended).signal).toBe("SIGKILL");
      const again = await start("launch-once.ts", store, world, "k", "200").ended;
      expect(await readdir(world)).toEqual([`${again.output.trim()}.json`]);
      const provider = directoryProvider(world, 0);
      expect((await reconcile(provider, { store: fileStore(store) })).items).toEqual([]);
      const id = launchId({ provider: "directory", account: "", owner: "tests", key: "k" });
      expect(await fileStore(store).read(id)).toMatchObject({ state: "launched", instanceId: again.output.trim() });
    },
  );

  test.each(["before:a", "ran:b", "after:c"])(
    "a workflow that is killed with -9 at %s is finished by the next process",
    async (point) => {
      const [store, things] = [join(root, "store"), join(root, "things")];
      await mkdir(things);
      expect((await start("run-once.ts", store, things, "succeed", point).ended).signal).toBe("SIGKILL");
      expect((await start("run-once.ts", store, things, "succeed").ended).output).toBe("a,b,c\n");
      expect(await readdir(things)).toHaveLength(3);
      const repeated = point.startsWith("ran:") ? 1 : 0;
      expect((await readFile(join(root, "trace"), "utf8")).trim().split("\n")).toHaveLength(3 + repeated);
    },
  );

  test.each(["undo-ran:b", "undo-before:a"])(
    "a workflow that is killed with -9 at %s is undone by the next process",
    async (point) => {
      const [store, things] = [join(root, "store"), join(root, "things")];
      await mkdir(things);
      expect((await start("run-once.ts", store, things, "fail", point).ended).signal).toBe("SIGKILL");
      expect((await start("run-once.ts", store, things, "fail").ended).output).toBe("FAILED 0\n");
      expect(await readdir(things)).toEqual([]);
      expect((await readFile(join(root, "trace"), "utf8")).trim().split("\n")).toHaveLength(3);
    },
  );

  test("the lease of a killed holder goes to exactly one of many contenders, time after time", async () => {
    const crowd = Array.from({ length: 6 }, () => start("lease-holder.ts", root));
    await Promise.all(crowd.map((child) => child.nextLine()));
    for (let round = 0; round < 6; round += 1) {
      for (const child of crowd) child.send("acquire");
      const answers = await Promise.all(crowd.map((child) => child.nextLine()));
      expect(answers.filter((answer) => answer === "won")).toHaveLength(1);
      const winner = answers.indexOf("won");
      crowd[winner]?.process.kill("SIGKILL");
      await crowd[winner]?.ended;
      crowd[winner] = start("lease-holder.ts", root);
      await crowd[winner]?.nextLine();
    }
  });

  test("processes that die at random never hold the lease two at a time", async () => {
    const waves = [0, 1, 2].map(async () => {
      const outputs: string[] = [];
      for (let turn = 0; turn < 2; turn += 1) {
        outputs.push((await start("lease-stress.ts", root, "60", "0.08").ended).output);
      }
      return outputs;
    });
    const outputs = (await Promise.all(waves)).flat();
    expect(outputs.filter((output) => output.includes("violated"))).toEqual([]);
    const last = await start("lease-stress.ts", root, "20", "0").ended;
    expect(last.output).toContain("held 20");
  });
});
