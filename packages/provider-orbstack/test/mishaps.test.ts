import { nameFor } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failure } from "./failure.ts";
import { OWNER, orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

const NAME = nameFor(OWNER, "a");
const machines = () => world.control.machines();

describe("what happened to an instance", () => {
  test("renamed: it is still the one of its key", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.rename(id, "my-box");
    for (const provider of [world.provider, world.another()]) {
      expect(await provider.spawn({ key: "a" })).toMatchObject({ id, machineName: "my-box" });
      expect(await provider.list()).toMatchObject([{ id, key: "a" }]);
      expect(await provider.get(id)).toMatchObject({ id, key: "a" });
    }
    await world.another().terminate(id);
    expect(await machines()).toEqual([]);
  });

  test.each(["my-box", "slip-backup", "slip-4o4yutnd-backup"])(
    "renamed to %s: its key makes no second one",
    async (name) => {
      const { id } = await world.provider.spawn({ key: "a" });
      await world.control.rename(id, name);
      expect((await world.another().spawn({ key: "a" })).id).toBe(id);
      expect(await world.provider.list({ keys: ["a"] })).toMatchObject([{ id, machineName: name }]);
    },
  );

  test("made isolated or not: who asks for the other gets CONFLICT, and its id", async () => {
    const { id } = await world.another({ isolated: false }).spawn({ key: "a" });
    const error = await failure(world.another({ isolated: true }).spawn({ key: "a" }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id } });
    expect(await world.another({ isolated: false }).spawn({ key: "a" })).toMatchObject({ id, isolated: false });
  });

  test("its id is the name of somebody's machine: it is still found, and ended, and the other one lives", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.addUnmanaged(id);
    expect(await world.provider.get(id)).toMatchObject({ id, key: "a", machineName: NAME });
    await world.provider.terminate(id);
    await world.clock.sleep(10_000);
    expect(await machines()).toMatchObject([{ name: id, state: "running" }]);
  });

  test("its user was changed: it is still ours by name and tag", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.orbctl(["config", "set", `machine.${NAME}.username`, "me"]);
    expect((await world.another().spawn({ key: "a" })).id).toBe(id);
  });

  test("stopped: it is answered so, and stays so, whoever looks at it", async () => {
    const { id } = await world.provider.spawn({ key: "a", bootstrap: { script: "true" } });
    await world.control.stop(id);
    for (const provider of [world.provider, world.another()]) {
      expect(await provider.spawn({ key: "a", bootstrap: { script: "true" } })).toMatchObject({
        id,
        status: "stopped",
      });
      expect(await provider.get(id)).toMatchObject({ status: "stopped", addresses: {}, labels: {} });
      expect(await provider.list()).toMatchObject([{ status: "stopped" }]);
      for await (const _line of provider.logs(id));
    }
    expect(await failure(world.provider.exec(id, ["true"]))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    expect(await machines()).toMatchObject([{ state: "stopped" }]);
  });

  test("copied by somebody: the copy is nobody's instance", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.orbctl(["clone", NAME, "her-copy"]);
    const copy = (await machines()).find(({ name }) => name === "her-copy")?.nativeId ?? "";
    expect((await world.another().list({ owner: "*" })).map((instance) => instance.id)).toEqual([id]);
    expect((await failure(world.another().terminate(copy))).code).toBe("CONFLICT");
  });
});
