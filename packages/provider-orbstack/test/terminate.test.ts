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
const changing = () =>
  world.sent
    .filter(({ args }) => ["stop", "delete", "config", "start"].includes(args[0] ?? ""))
    .map(({ args }) => args);

describe("a termination", () => {
  test("stops by id, waits, and deletes by name with force", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const began = world.clock.now();
    await world.provider.terminate(id);
    expect(changing()).toEqual([
      ["stop", id],
      ["delete", "--force", NAME],
    ]);
    expect(world.clock.now() - began).toBeGreaterThanOrEqual(1_500 + 1_000);
    expect(await world.control.machines()).toEqual([]);
  });

  test("does not start or stop one that is stopped", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.stop(id);
    await world.another().terminate(id);
    expect(changing()).toEqual([["delete", "--force", NAME]]);
  });

  test.each(["", "docker", "no-such", "01KHVDCW7HTAGRPMB823KADP9B", "01KHVDCW7HTAGRPMB823KADP9B --all"])(
    "of %j resolves, and stops nothing",
    async (id) => {
      await world.control.addUnmanaged();
      await world.provider.terminate(id);
      expect(changing()).toEqual([]);
      expect(await world.control.engineStops()).toBe(0);
    },
  );

  test("waits for a machine that is still being made", async () => {
    const spawning = world.provider.spawn({ key: "a" });
    await world.clock.sleep(2_000);
    const [machine] = await world.control.machines();
    expect(machine?.state).toBe("creating");
    await Promise.all([failure(spawning).catch(() => undefined), world.another().terminate(machine?.nativeId ?? "")]);
    expect(await world.control.machines()).toEqual([]);
  });

  test("of one at its disk cap lifts the cap", async () => {
    const { id } = await world.provider.spawn({ key: "a", resources: { diskBytes: 2 * 1024 ** 3 } });
    await world.control.setEngineSettings({ atDiskCap: [NAME] });
    await world.provider.terminate(id);
    expect(changing()).toContainEqual(["config", "set", `machine.${NAME}.disk_bytes`, "0"]);
    expect(await world.control.machines()).toEqual([]);
  });

  test("of a renamed one deletes it under its name of now", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.rename(id, "box");
    await world.provider.terminate(id);
    expect(changing()).toContainEqual(["delete", "--force", "box"]);
  });
});

describe("renamed while it is ended", () => {
  test("between the stop and the deletion: whoever has its name by then lives", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const ending = world.meanwhile("stop", async () => {
      await world.control.rename(id, "box");
      await world.control.addUnmanaged(NAME);
    });
    await ending.terminate(id);
    expect(await world.control.machines()).toMatchObject([{ name: NAME, state: "running" }]);
  });

  test("between the last look and the deletion: it is deleted under its name of now", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.meanwhile("delete", () => world.control.rename(id, "box")).terminate(id);
    expect(await world.provider.get(id)).toBeNull();
    expect(await world.control.machines()).toEqual([]);
  });

  test("again and again: it is told that it lives", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    let at = 0;
    const exec: World["exec"] = async (file, args, options) => {
      if (args[0] === "delete") await world.control.rename(id, `box-${(at += 1)}`);
      return await world.exec(file, args, options);
    };
    const error = await failure(world.another({ runtime: { exec } }).terminate(id));
    expect(error).toMatchObject({ code: "BUSY", effect: "unknown", native: { id } });
    expect((await world.provider.get(id))?.status).toBe("stopped");
  });

  test("to nothing, by another who has ended it: done", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.meanwhile("delete", () => world.control.remove(id)).terminate(id);
    expect(await world.control.machines()).toEqual([]);
  });
});

describe("without an answer", () => {
  test("to the stop: looked up, and gone on with", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    world.control.faults.add({ operation: "stop", when: "reply-lost" });
    await world.provider.terminate(id);
    expect(await world.control.machines()).toEqual([]);
  });

  test("to a stop that did nothing: forced", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.addFaults({ command: "stop", does: "hang-before" });
    await world.provider.terminate(id);
    expect(changing()).toContainEqual(["stop", "--force", id]);
    expect(await world.control.machines()).toEqual([]);
  });

  test("to the deletion: looked up, and done", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    world.control.faults.add({ operation: "delete", when: "reply-lost" });
    await world.provider.terminate(id);
    expect(await world.control.machines()).toEqual([]);
  });

  test("to a deletion that did nothing: unknown, and done by the next", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.addFaults({ command: "delete", does: "hang-before" });
    expect(await failure(world.provider.terminate(id))).toMatchObject({ code: "TIMEOUT", effect: "unknown" });
    await world.provider.terminate(id);
    expect(await world.control.machines()).toEqual([]);
  });

  test("and aborted: the stop is told", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const stop = new AbortController();
    const terminating = failure(world.provider.terminate(id, { signal: stop.signal }));
    await world.clock.sleep(2_000);
    stop.abort(new Error("enough"));
    expect(await terminating).toMatchObject({ code: "CANCELLED", effect: "unknown" });
  });
});

test("a deletion that is refused after the stop does not say that nothing was done", async () => {
  const { id } = await world.provider.spawn({ key: "a" });
  world.control.faults.add({ operation: "delete", when: "before", row: "in-transition" });
  expect(await failure(world.provider.terminate(id))).toMatchObject({ code: "BUSY", effect: "unknown" });
});

test("hundreds of machines one after the other use up no address", async () => {
  await world.control.setIpPool(2);
  for (let at = 0; at < 20; at += 1) {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.provider.terminate(id);
  }
});
