import { terminateAndConfirm, waitForStatus } from "@slipway/control";
import { describe, expect, test } from "vitest";
import { failure, type LambdaWorld, lambdaWorld } from "./world.ts";

const UNKNOWN = "0123456789abcdef0123456789abcdef";
const SPEC = { spec: "gpu_1x_a10" };

async function spawned(world: LambdaWorld, many: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let at = 0; at < many; at += 1) ids.push((await world.provider.spawn(SPEC)).id);
  // No read shows them as just made any more.
  await world.emulator.clock.sleep(60_000);
  return ids;
}
/** The requests of a piece of work, by their operations. */
async function requestsOf({ emulator }: LambdaWorld, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = emulator.control.requests.length;
  await work();
  return emulator.control.requests.slice(before).map(({ operation }) => operation);
}

describe("reads of single instances", () => {
  test("30 at once are one list", async () => {
    const world = lambdaWorld();
    const ids = await spawned(world, 30);
    const requests = await requestsOf(world, async () => {
      const found = await Promise.all(ids.map((id) => world.provider.get(id)));
      expect(found.map((one) => one?.id)).toEqual(ids);
    });
    expect(requests).toEqual(["list-instances"]);
  });

  test("one alone is one read, and what a list does not show is asked for alone", async () => {
    const world = lambdaWorld();
    const [id = ""] = await spawned(world, 1);
    expect(await requestsOf(world, () => world.provider.get(id))).toEqual(["read-instance"]);
    const both = await requestsOf(world, async () => {
      const found = await Promise.all([world.provider.get(id), world.provider.get(UNKNOWN)]);
      expect(found.map((one) => one?.id)).toEqual([id, undefined]);
    });
    expect(both).toEqual(["list-instances", "read-instance"]);
  });

  test("one that is aborted leaves the others alone", async () => {
    const world = lambdaWorld();
    const [one = "", two = ""] = await spawned(world, 2);
    const controller = new AbortController();
    const aborted = failure(world.provider.get(one, { signal: controller.signal }));
    const other = world.provider.get(two);
    controller.abort();
    expect(await aborted).toMatchObject({ code: "CANCELLED", effect: "none" });
    expect((await other)?.id).toBe(two);
  });
});

describe("ends", () => {
  test("of 30 at once are one listing and one request", async () => {
    const world = lambdaWorld();
    const ids = await spawned(world, 30);
    const requests = await requestsOf(world, () => Promise.all(ids.map((id) => world.provider.terminate(id))));
    expect(requests).toEqual(["list-instances", "terminate"]);
    expect(world.emulator.control.instances().map(({ status }) => status)).toEqual(ids.map(() => "terminating"));
  });

  test("with one that is not there are repeated one by one", async () => {
    const world = lambdaWorld();
    const ids = await spawned(world, 3);
    const work = () => Promise.all([...ids, UNKNOWN].map((id) => world.provider.terminate(id)));
    expect(await requestsOf(world, work)).toEqual(["list-instances", ...Array.from({ length: 5 }, () => "terminate")]);
    expect(world.emulator.control.instances().map(({ status }) => status)).toEqual(ids.map(() => "terminating"));
  });

  test("that Lambda answers with a word that says nothing are repeated one by one", async () => {
    const world = lambdaWorld();
    const ids = await spawned(world, 3);
    world.emulator.control.faults.add({ operation: "terminate", when: "before", row: "unknown" });
    const requests = await requestsOf(world, () => Promise.all(ids.map((id) => world.provider.terminate(id))));
    expect(requests.filter((name) => name === "terminate")).toHaveLength(4);
    expect(world.emulator.control.instances().map(({ status }) => status)).toEqual(ids.map(() => "terminating"));
  });

  test("that are refused for the account are not repeated", async () => {
    const world = lambdaWorld();
    const ids = await spawned(world, 3);
    world.emulator.control.faults.add({ operation: "terminate", when: "before", row: "invalid-api-key", times: 10 });
    const errors = await Promise.all(ids.map((id) => failure(world.provider.terminate(id))));
    expect(errors.map(({ code, effect }) => [code, effect])).toEqual(ids.map(() => ["AUTH_ERROR", "none"]));
  });
});

describe("waits", () => {
  const LIMITED = { requestsPerSecond: 1, secondsPerLaunch: 0.001 };
  const elapsed = async (many: number, work: (world: LambdaWorld, id: string) => Promise<unknown>): Promise<number> => {
    const world = lambdaWorld({ bootMs: 90_000 }, LIMITED);
    const { clock } = world.emulator;
    const ids: string[] = [];
    for (let at = 0; at < many; at += 1) ids.push((await world.provider.spawn(SPEC)).id);
    const begun = clock.now();
    await Promise.all(ids.map((id) => work(world, id)));
    return clock.now() - begun;
  };

  test("30 take no longer than one", async () => {
    const wait = ({ provider, emulator: { clock } }: LambdaWorld, id: string) =>
      waitForStatus(provider, id, "running", { clock });
    expect(await elapsed(30, wait)).toBeLessThanOrEqual(await elapsed(1, wait));
  });

  test("30 confirmed ends take little longer than one", async () => {
    const end = ({ provider, emulator: { clock } }: LambdaWorld, id: string) =>
      terminateAndConfirm(provider, id, { clock });
    expect(await elapsed(30, end)).toBeLessThanOrEqual((await elapsed(1, end)) + 40_000);
  });
});
