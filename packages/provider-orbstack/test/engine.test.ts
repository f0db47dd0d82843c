import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OrbstackProvider } from "../src/index.ts";
import { failure } from "./failure.ts";
import { orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

type Act = (provider: OrbstackProvider, id: string) => Promise<unknown>;
const bootstrap = { script: "true" };

describe("OrbStack that goes off in the middle of a call", () => {
  test.each<readonly [verb: string, effect: string, act: Act]>([
    ["list", "none", (provider) => provider.list()],
    ["info", "none", (provider, id) => provider.get(id)],
    ["pull", "none", (provider) => provider.list()],
    ["run", "unknown", (provider, id) => provider.exec(id, ["true"])],
    ["stop", "unknown", (provider, id) => provider.terminate(id)],
    ["delete", "unknown", (provider, id) => provider.terminate(id)],
    ["create", "unknown", (provider) => provider.spawn({ key: "new" })],
    ["run", "applied", (provider) => provider.spawn({ key: "new" })],
  ])("right before its %s: UNAVAILABLE, effect %s", async (verb, effect, act) => {
    const { id } = await world.provider.spawn({ key: "a" });
    const provider = world.meanwhile(verb, () => world.control.setEngine("Stopped"));
    const error = await failure(act(provider, id));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect, retryable: true });
    expect(error.message).toBe("OrbStack is Stopped");
    expect(error.hint).toContain("orbctl start");
  });

  test("at any command of a spawn: UNAVAILABLE, and the next one finishes it", async () => {
    for (let at = 1; ; at += 1) {
      await world.close();
      world = orbstackWorld();
      let count = 0;
      const exec: World["exec"] = async (file, args, options) => {
        count += 1;
        if (count === at) await world.control.setEngine("Stopped");
        return await world.exec(file, args, options);
      };
      const spawning = world.another({ runtime: { exec } }).spawn({ key: "a", bootstrap });
      const error = await failure(spawning).catch(() => undefined);
      if (count < at) return;
      if (error !== undefined) expect({ at, code: error.code }).toEqual({ at, code: "UNAVAILABLE" });
      if (error?.effect === "none") expect(await world.control.machines()).toEqual([]);
      await world.control.setEngine("Running");
      expect(await world.another().spawn({ key: "a", bootstrap })).toMatchObject({ key: "a" });
      expect(await world.control.machines()).toHaveLength(1);
    }
  });

  test("and says that a machine is not there: that is not believed", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const exec: World["exec"] = async (file, args, options) => {
      if (args[0] !== "info") return await world.exec(file, args, options);
      await world.control.setEngine("Stopped");
      return { exitCode: 1, signal: null, stdout: "", stderr: `[-32098] machine not found: '${id}'\n` };
    };
    const gone = world.another({ runtime: { exec } });
    expect(await failure(gone.get(id))).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    await world.control.setEngine("Running");
    expect((await failure(gone.terminate(id))).code).toBe("UNAVAILABLE");
  });
});

test("unknown words of an OrbStack that runs stay INTERNAL", async () => {
  await world.control.addFaults({ command: "list", does: "fail", stderr: "what is that\n" });
  expect(await failure(world.provider.list())).toMatchObject({ code: "INTERNAL", effect: "none" });
});
