import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nameFor } from "@slipway/core";
import { tryFileLock } from "@slipway/provider-kit/sandbox";
import { describe, expect, test } from "vitest";
import { soakRequest } from "../soak/soak-request.ts";
import { FAILPOINTS } from "../src/failpoint.ts";
import { SETTINGS } from "./local-harness.ts";
import { runModule } from "./processes.ts";
import { hasBubblewrap, isolations, until, world } from "./worlds.ts";

const PROGRAM = "soak/spawn-once.ts";
const KEY = "one key";

describe.each(isolations)("with $isolation", ({ isolation }) => {
  const variables = { SLIPWAY_SANDBOX: SETTINGS[isolation] };

  test("twenty processes with one key give one instance", async () => {
    const { owner, stateDirectory, provider, live } = world(isolation);
    const runs = Array.from({ length: 20 }, () => runModule(PROGRAM, [stateDirectory, owner, KEY], { env: variables }));
    const ended = await Promise.all(runs);
    expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
    const ids = new Set(ended.map(({ stdout }) => /^spawned (.+)$/m.exec(stdout)?.[1]));
    expect(ids.size).toBe(1);
    expect((await provider.list()).map(({ id }) => id)).toEqual([...ids]);
    expect(live()).toEqual([...ids]);
    expect(readdirSync(join(stateDirectory, "locks"))).toEqual([]);
  }, 300_000);

  describe.each(FAILPOINTS)("a spawn that is killed %s", (name) => {
    const killed = async (): Promise<ReturnType<typeof world>> => {
      const made = world(isolation);
      const env = { ...variables, SLIPWAY_LOCAL_FAILPOINT: name };
      const { signal } = await runModule(PROGRAM, [made.stateDirectory, made.owner, KEY], { env });
      expect(signal).toBe("SIGKILL");
      return made;
    };

    test("is told of by list, and completed or made again by the same request", async () => {
      const { stateDirectory, provider, live } = await killed();
      const before = await provider.list();
      expect(before.map(({ key }) => key)).toEqual(name === "before-intent" ? [] : [KEY]);
      const { id } = await provider.spawn(soakRequest(KEY));
      expect((await provider.list()).map((instance) => instance.id)).toEqual([id]);
      expect(live()).toEqual([id]);
      expect(readdirSync(join(stateDirectory, "instances"))).toHaveLength(1);
      expect(readdirSync(join(stateDirectory, "locks"))).toEqual([]);
      const done = await until(
        () => provider.get(id),
        (seen) => seen?.bootstrap?.state === "succeeded",
      );
      expect(done?.status).toBe("running");
    }, 120_000);

    test("is ended whole by terminate alone", async () => {
      const { stateDirectory, provider, live } = await killed();
      for (const { id } of await provider.list()) await provider.terminate(id);
      expect(live()).toEqual([]);
      expect(await provider.list()).toEqual([]);
      const left = name === "before-intent" ? [] : readdirSync(join(stateDirectory, "instances"));
      expect(left).toEqual([]);
    }, 120_000);
  });

  test.each([
    ["before-end", 1],
    ["after-end", 0],
    ["after-rename", 0],
  ])(
    "a terminate that is killed %s is completed by the next call on another key, unless it runs",
    async (name, left) => {
      const { owner, stateDirectory, provider, live } = world(isolation);
      const cut = await provider.spawn({ key: "cut off" });
      const env = { ...variables, SLIPWAY_LOCAL_FAILPOINT: name };
      const { signal } = await runModule("test/programs/terminate-once.ts", [stateDirectory, owner, cut.id], { env });
      expect(signal).toBe("SIGKILL");
      expect(readdirSync(join(stateDirectory, "instances")).length).toBeGreaterThan(0);
      await provider.terminate((await provider.spawn({ key: "another" })).id);
      expect(live()).toEqual(left === 1 ? [cut.id] : []);
      expect((await provider.list()).map(({ id }) => id)).toEqual(left === 1 ? [cut.id] : []);
      // Of one that runs, nothing says any more that it shall end: one that crashes later keeps its logs.
      expect(readdirSync(join(stateDirectory, "instances"))).toEqual(left === 1 ? [nameFor(owner, "cut off")] : []);
      expect(readdirSync(join(stateDirectory, "locks"))).toEqual([]);
    },
  );

  test("a call completes no removal that another one works on", async () => {
    const { owner, stateDirectory, provider } = world(isolation);
    const draft = `.new-${nameFor(owner, "under way")}-1`;
    await provider.terminate((await provider.spawn({ key: "first" })).id);
    mkdirSync(join(stateDirectory, "instances", draft));
    const held = await tryFileLock(join(stateDirectory, "locks", `instances.${nameFor(owner, "under way")}`));
    await provider.terminate((await provider.spawn({ key: "second" })).id);
    expect(readdirSync(join(stateDirectory, "instances"))).toEqual([draft]);
    await held?.release();
    await provider.terminate((await provider.spawn({ key: "third" })).id);
    expect(readdirSync(join(stateDirectory, "instances"))).toEqual([]);
  });

  test("what was cut off before anything ran is told as an error that says what to do", async () => {
    const { owner, stateDirectory, provider } = world(isolation);
    const env = { ...variables, SLIPWAY_LOCAL_FAILPOINT: "after-intent" };
    await runModule(PROGRAM, [stateDirectory, owner, KEY], { env });
    const [half] = await provider.list();
    expect(half).toMatchObject({ status: "error", pid: null, statusReason: { code: "interrupted" } });
    await expect(provider.spawn({ ...soakRequest(KEY), labels: {} })).rejects.toMatchObject({
      code: "CONFLICT",
      effect: "none",
      native: { id: half?.id },
    });
  }, 120_000);
});

test.skipIf(!hasBubblewrap)(
  "an instance outlives the process that spawned it, and is the next one's too",
  async () => {
    const { owner, stateDirectory, provider } = world("bubblewrap");
    const { stdout } = await runModule(PROGRAM, [stateDirectory, owner, KEY]);
    const id = /^spawned (.+)$/m.exec(stdout)?.[1] ?? "";
    expect(await provider.get(id)).toMatchObject({ id, status: "running", bootstrap: { state: "succeeded" } });
    expect((await provider.exec(id, ["cat", "/proc/1/comm"])).stdout).toBe("sh\n");
  },
  30_000,
);
