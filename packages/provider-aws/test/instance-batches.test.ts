import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { awsWorld, failure, through, type Wire } from "./world.ts";

const M5 = { spec: "m5.large" } as const;

/** Instances of one zone, so that their ends go in one request. */
async function spawned(count: number) {
  const world = awsWorld({ bootMs: 0 });
  const [place] = await world.provider.placements(M5);
  const made: string[] = [];
  for (let at = 0; at < count; at += 1) made.push((await world.provider.spawn({ ...M5, ...place })).id);
  const [first = "", second = "", ...others] = made;
  return { ...world, made, first, second, others };
}

/** One instance in each of two zones, both known to the provider. */
async function inZones() {
  const world = awsWorld({ bootMs: 0 });
  const [a, b] = await world.provider.placements(M5);
  const [down, up] = [await world.provider.spawn({ ...M5, ...a }), await world.provider.spawn({ ...M5, ...b })];
  for (const { id } of [down, up]) await world.provider.get(id);
  const placed = ({ id, zone = "" }: typeof down) => ({ id, zone });
  return { ...world, placements: [placed(down), placed(up)] as const };
}

describe("instances that are ended at once", () => {
  test("end together, also where one of them is protected: that one alone is told", async () => {
    const { provider, emulator, made, second } = await spawned(6);
    emulator.control.protect(second, true);
    for (const id of made) await provider.get(id);
    const outcomes = await Promise.allSettled(made.map((id) => provider.terminate(id)));
    const told = outcomes.map((one) => (one.status === "rejected" ? one.reason : "ended"));
    expect(told.filter((one) => one === "ended")).toHaveLength(5);
    expect(told[1]).toMatchObject({ effect: "none", native: { code: "OperationNotPermitted" } });
    const live = emulator.control.instances().filter((one) => one.live);
    expect(live.map(({ id }) => id)).toEqual([second.slice(second.indexOf("/") + 1)]);
  });

  test("end also where one of them is unknown to EC2", async () => {
    const { provider, emulator, made } = await spawned(3);
    const ids = [...made, "us-east-1/i-0123456789abcdef0"];
    await Promise.all(ids.map((id) => provider.terminate(id)));
    expect(emulator.control.instances().filter((one) => one.live)).toEqual([]);
  });
});

test("a zone that is out of order fails its own instances and no others", async () => {
  const { provider, emulator, placements } = await inZones();
  const [down, up] = placements;
  emulator.control.setImpaired(down.zone, true);
  const read = await Promise.allSettled([provider.get(down.id), provider.get(up.id)]);
  expect(read.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  const ended = await Promise.allSettled([provider.terminate(down.id), provider.terminate(up.id)]);
  expect(ended.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(emulator.control.instances().filter(({ live }) => live)).toMatchObject([{ zone: down.zone }]);
});

test("a protected instance is not ended, and says so", async () => {
  const { provider, emulator, first } = await spawned(1);
  emulator.control.protect(first, true);
  expect(await failure(provider.terminate(first))).toMatchObject({ effect: "none", operation: "terminate" });
  expect(emulator.control.instances().filter((one) => one.live)).toHaveLength(1);
});

describe("an instance that EC2 names in a state that does not end", () => {
  /** The first `times` answers name this instance as running, whatever became of it. */
  const runningOn = (id: string, times: number): Wire => {
    const native = id.slice(id.indexOf("/") + 1);
    let left = times;
    return async ({ action, parameters }, send) => {
      if (action !== "TerminateInstances" || ![...parameters.values()].includes(native) || left === 0) {
        return await send();
      }
      left -= 1;
      const text = await (await send()).text();
      const rows = text.replaceAll(/<item>.*?<\/item>/gs, (row) =>
        row.includes(native) ? row.replace(/(<currentState>.*?<name>)[\w-]+/s, "$1running") : row,
      );
      return new Response(rows, { headers: { "content-type": "text/xml;charset=UTF-8" } });
    };
  };

  test("among others is asked for alone, and the others have ended", async () => {
    const { made, second, ...world } = await spawned(4);
    const provider = through(world, runningOn(second, 1));
    for (const id of made) await provider.get(id);
    const before = world.sent("TerminateInstances").length;
    await Promise.all(made.map((id) => provider.terminate(id)));
    // All together, and one of them alone once more.
    expect(world.sent("TerminateInstances").length - before).toBe(2);
  });

  test("for good is no success: its effect is unknown", async () => {
    const { first, ...world } = await spawned(1);
    const error = await failure(through(world, runningOn(first, 2)).terminate(first));
    expect(error).toMatchObject({ code: "INTERNAL", effect: "unknown" });
  });
});
