import { nameFor } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failure } from "./failure.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";
import { OWNER, orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

const NAME = nameFor(OWNER, "b");
const write = (id: string, text: string) =>
  world.provider.exec(id, ["sh", "-c", 'mkdir -p /var/lib/slipway; echo "$1" >/var/lib/slipway/data', "sh", text]);
const read = async (id: string) => (await world.provider.exec(id, ["cat", "/var/lib/slipway/data"])).stdout.trim();
/** The id of a snapshot of an instance of its own. */
const snapshotOf = async (isolated = true): Promise<string> => {
  const { id } = await world.another({ isolated }).spawn({ key: "a" });
  return (await world.provider.createSnapshot(id, { key: "s" })).id;
};

describe("a restored instance", () => {
  test.skipIf(withoutBubblewrap !== null)(
    "has the resources and the bootstrap that are asked for, and not those of its source",
    async () => {
      const bootstrap = { script: "echo first >>/var/lib/slipway/runs" };
      const a = await world.provider.spawn({ key: "a", bootstrap });
      await expect.poll(async () => (await world.provider.get(a.id))?.bootstrap?.state).toBe("succeeded");
      const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
      const again = { script: "echo second >>/var/lib/slipway/runs" };
      const resources = { cpus: 3, memoryBytes: 1024 ** 3, diskBytes: 8 * 1024 ** 3 };
      const b = await world.provider.spawn({ key: "b", fromSnapshot, resources, bootstrap: again });
      expect(b.resources).toEqual(resources);
      await expect.poll(async () => (await world.provider.get(b.id))?.bootstrap?.state).toBe("succeeded");
      const runs = await world.provider.exec(b.id, ["cat", "/var/lib/slipway/runs"]);
      expect(runs.stdout).toBe("first\nsecond\n");
      const limits = await Promise.all(
        ["cpu", "memory_mib", "disk_bytes"].map((leaf) =>
          world.orbctl(["config", "get", `machine.${nameFor(OWNER, "b")}.${leaf}`]),
        ),
      );
      expect(limits.map(({ stdout }) => Number(stdout))).toEqual([3, 1024, 8 * 1024 ** 3]);
    },
  );

  test.each(["config", "start", "run"])(
    "whose maker was cut off before `%s` is finished by the next",
    async (command) => {
      const a = await world.provider.spawn({ key: "a" });
      await write(a.id, "kept");
      const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
      const stop = new AbortController();
      const cut = world.another({
        runtime: {
          exec: (file, args, options) => {
            // The copy is there; nothing more is done.
            if (args[0] === command && world.sent.some((each) => each.args[0] === "clone"))
              stop.abort(new Error("cut"));
            return world.exec(file, args, { ...options, signal: stop.signal });
          },
        },
      });
      const error = await failure(cut.spawn({ key: "b", fromSnapshot, signal: stop.signal }));
      expect(error).toMatchObject({ code: "CANCELLED", effect: "applied" });
      const made = await world.another().spawn({ key: "b", fromSnapshot });
      expect(made).toMatchObject({ key: "b", status: "running" });
      expect(await read(made.id)).toBe("kept");
    },
  );

  test("is one for two processes that ask at the same time", async () => {
    const a = await world.provider.spawn({ key: "a" });
    const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
    const both = await Promise.all([
      world.provider.spawn({ key: "b", fromSnapshot }),
      world.another().spawn({ key: "b", fromSnapshot }),
    ]);
    expect(both[0].id).toBe(both[1].id);
    expect(await world.control.machines()).toHaveLength(2);
  });

  test("is isolated as it is asked for, whatever its source was", async () => {
    const fromSnapshot = await snapshotOf(false);
    const isolated = world.another({ isolated: true });
    expect(await isolated.spawn({ key: "b", fromSnapshot })).toMatchObject({ isolated: true });
    expect(await isolated.spawn({ key: "b", fromSnapshot })).toMatchObject({ isolated: true });
    const agent = await world.orbctl(["config", "get", `machine.${NAME}.forward_ssh_agent`]);
    expect(agent.stdout).toBe("false\n");
    const sent = world.sent.map(({ args }) => args.slice(0, 3).join(" "));
    expect(sent.indexOf(`config set machine.${NAME}.isolated`)).toBeLessThan(
      sent.indexOf(`config set machine.${NAME}.username`),
    );
    expect(await world.another({ isolated: false }).spawn({ key: "c", fromSnapshot })).toMatchObject({
      isolated: false,
    });
  });
});

describe("a copy", () => {
  test("without an answer is finished, at the latest by the next spawn", async () => {
    const fromSnapshot = await snapshotOf();
    world.control.faults.add({ operation: "clone", when: "reply-lost" });
    const made = await world.provider.spawn({ key: "b", fromSnapshot });
    expect(made).toMatchObject({ key: "b", status: "running" });
    expect((await world.another().spawn({ key: "b", fromSnapshot })).id).toBe(made.id);
    expect(await world.control.machines()).toHaveLength(2);
  });

  test("that nobody can look at after it was made is applied", async () => {
    const fromSnapshot = await snapshotOf();
    const provider = world.meanwhile("clone", async () => {
      world.control.faults.add({ operation: "info", when: "before", row: "services-late" });
    });
    const error = await failure(provider.spawn({ key: "b", fromSnapshot }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "applied" });
    expect(await world.another().spawn({ key: "b", fromSnapshot })).toMatchObject({ key: "b", status: "running" });
    expect(await world.control.machines()).toHaveLength(2);
  });

  test("whose maker is slow is left to it", async () => {
    const fromSnapshot = await snapshotOf();
    const slow = world.meanwhile("config", () => world.clock.sleep(10_000));
    const [first, second] = await Promise.all([
      slow.spawn({ key: "b", fromSnapshot }),
      world.another().spawn({ key: "b", fromSnapshot }),
    ]);
    expect(first.id).toBe(second.id);
    expect(world.sent.filter(({ args }) => args[0] === "delete")).toEqual([]);
  });

  test("that has the user of another spec is CONFLICT at once, and stays", async () => {
    const fromSnapshot = await snapshotOf();
    await world.control.addFaults({ command: "start", does: "fail", stderr: "[-32098] something\n" });
    await failure(world.provider.spawn({ key: "b", fromSnapshot }));
    const began = world.clock.now();
    const error = await failure(world.another().spawn({ key: "b", fromSnapshot, labels: { another: "spec" } }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(world.clock.now() - began).toBeLessThan(5_000);
    expect(await world.another().spawn({ key: "b", fromSnapshot })).toMatchObject({ id: error.native?.id });
  });

  test("that was left, and that somebody has started since, is CONFLICT, and stays", async () => {
    const fromSnapshot = await snapshotOf();
    await world.orbctl(["clone", nameFor(OWNER, "s").replace("slip-", "snap-"), NAME]);
    await world.orbctl(["start", NAME]);
    const error = await failure(world.provider.spawn({ key: "b", fromSnapshot }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(await world.control.machines()).toMatchObject([{}, { name: NAME, state: "running" }]);
  });

  test("that was left, and whose snapshot has gone since, stays as it is", async () => {
    const fromSnapshot = await snapshotOf();
    await world.orbctl(["clone", nameFor(OWNER, "s").replace("slip-", "snap-"), NAME]);
    await world.provider.deleteSnapshot(fromSnapshot);
    const error = await failure(world.provider.spawn({ key: "b", fromSnapshot }));
    expect(error).toMatchObject({ code: "NOT_FOUND", effect: "none" });
    expect(await world.control.machines()).toMatchObject([{}, { name: NAME, state: "stopped" }]);
  });

  test("that gets no address is not started again and again", async () => {
    const fromSnapshot = await snapshotOf();
    const stderr = "[-32098] start: setup: machine didn't start in 30s (missing IP address)\n";
    await world.control.addFaults({ command: "start", does: "fail", times: 50, stderr });
    const spawn = () => failure(world.provider.spawn({ key: "b", fromSnapshot }));
    for (const code of ["no-address", "no-address"]) {
      expect(await spawn()).toMatchObject({ code: "CAPACITY_ERROR", effect: "applied", native: { code } });
    }
    for (let at = 0; at < 3; at += 1)
      expect(await spawn()).toMatchObject({ code: "CAPACITY_ERROR", effect: "applied" });
    expect(world.sent.filter(({ args }) => args[0] === "start")).toHaveLength(2);
    await world.control.clearFaults();
    await world.clock.sleep(60_000);
    expect(await world.provider.spawn({ key: "b", fromSnapshot })).toMatchObject({ key: "b", status: "running" });
    // That one went well: it takes two again.
    await world.control.addFaults({ command: "start", does: "fail", stderr });
    await failure(world.provider.spawn({ key: "c", fromSnapshot }));
    expect(await world.provider.spawn({ key: "c", fromSnapshot })).toMatchObject({ key: "c", status: "running" });
  });

  test.each(["config", "start", "run"])(
    "that another process ends right before `%s` is not said to be there",
    async (verb) => {
      const fromSnapshot = await snapshotOf();
      const provider = world.meanwhile(verb, async () => {
        const copy = (await world.control.machines()).find(({ name }) => name === NAME);
        await world.another().terminate(copy?.nativeId ?? "");
      });
      const error = await failure(provider.spawn({ key: "b", fromSnapshot }));
      expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
    },
  );
});

test.each(["before", "during", "after"] as const)(
  "a spawn that is aborted %s any of its commands tells the truth, and the next one finishes it",
  async (when) => {
    for (let at = 1; ; at += 1) {
      await world.close();
      world = orbstackWorld();
      const fromSnapshot = await snapshotOf();
      const stop = new AbortController();
      let count = 0;
      let verb = "";
      const exec: World["exec"] = async (file, args, options) => {
        count += 1;
        if (count === at) verb = args[0] ?? "";
        if (count === at && when === "before") stop.abort(new Error("cut"));
        if (count === at && when === "during") void world.clock.sleep(1).then(() => stop.abort(new Error("cut")));
        const result = await world.exec(file, args, { ...options, signal: stop.signal });
        if (count === at && when === "after") stop.abort(new Error("cut"));
        return result;
      };
      const seen = async () => (await world.control.machines()).map(({ nativeId, state }) => [nativeId, state]);
      const was = await seen();
      const spawning = world.another({ runtime: { exec } }).spawn({ key: "b", fromSnapshot, signal: stop.signal });
      const error = await failure(spawning).catch(() => undefined);
      if (count < at) return;
      await world.clock.sleep(60_000);
      if (error !== undefined) expect({ verb, code: error.code }).toEqual({ verb, code: "CANCELLED" });
      if (error?.effect === "none") expect({ verb, seen: await seen() }).toEqual({ verb, seen: was });
      const next = await world.another().spawn({ key: "b", fromSnapshot });
      expect({ verb, next }).toMatchObject({ verb, next: { key: "b", status: "running" } });
      expect(await seen()).toHaveLength(2);
    }
  },
  60_000,
);
