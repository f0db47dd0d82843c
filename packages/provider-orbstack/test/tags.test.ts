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
const TAG = "/var/lib/slipway/tag.json";

describe("a tag", () => {
  test("that cannot be read: its instance is listed by its name and user, and no other is missing", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const other = await world.provider.spawn({ key: "b" });
    await world.control.stop(id);
    for (const stderr of ["[-32098] cannot transition from running to deleting\n", "cp: what is that\n"]) {
      await world.control.addFaults({ command: `pull -m ${NAME}`, does: "fail", stderr });
      const listed = await world.another().list();
      expect(listed.map((instance) => [instance.id, instance.owner, instance.key])).toEqual([
        [id, OWNER, null],
        [other.id, OWNER, "b"],
      ]);
    }
    await world.control.addFaults({ command: `pull -m ${NAME}`, does: "hang-before" });
    expect(await failure(world.another().list())).toMatchObject({ code: "TIMEOUT", effect: "none" });
  });

  test("of a stopped instance that cannot be read: a spawn of its key does not start it", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.stop(id);
    await world.control.addFaults({ command: `pull -m ${NAME}`, does: "fail", stderr: "cp: what is that\n" });
    const error = await failure(world.another().spawn({ key: "a" }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none", native: { id } });
    expect(await world.another().spawn({ key: "a" })).toMatchObject({ id, key: "a", status: "stopped" });
  });

  test("that is a folder spoils nothing: the others are listed, and a spawn of the key writes it anew", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const other = await world.provider.spawn({ key: "b" });
    await world.provider.exec(id, ["sh", "-c", `rm ${TAG}; mkdir ${TAG}`]);
    expect(await world.another().list()).toMatchObject([
      { id, key: null },
      { id: other.id, key: "b" },
    ]);
    expect(await world.another().spawn({ key: "a" })).toMatchObject({ id, key: "a" });
    expect(await world.another().get(id)).toMatchObject({ id, key: "a" });
  });

  test("of a machine that goes while it is read: the others are listed", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const other = await world.provider.spawn({ key: "b" });
    const listing = world.meanwhile("pull", () => world.control.remove(id)).list();
    expect((await listing).filter(({ key }) => key !== null).map((instance) => instance.id)).toEqual([other.id]);
  });

  test("has labels of any name", async () => {
    const labels: Record<string, string> = JSON.parse('{"__proto__":"x","constructor":"y","ü\'\\"":"\\u0000"}');
    const { id } = await world.provider.spawn({ key: "a", labels });
    const seen = await world.another().get(id);
    expect(Object.entries(seen?.labels ?? {})).toEqual(Object.entries(labels));
  });
});
