import "@aws-sdk/client-ec2";
import { type LaunchFailpoint, launch, launchId, memoryStore } from "@slipway/control";
import { isProviderError, projectProvider } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { awsWorld, failure, through } from "./world.ts";

// A hundred in `npm run soak:suite`, five hundred in `npm run soak:tests`: SLIPWAY_CRASH_RUNS.
const RUNS = Number(process.env["SLIPWAY_CRASH_RUNS"] ?? "10");

class Killed extends Error {}

/** The wire of a process that dies with one request, before it is sent or after it is done, and says nothing any more. */
function dying(fetch: typeof globalThis.fetch, at: number, after: boolean): typeof globalThis.fetch {
  let sent = 0;
  return async (input, init) => {
    sent += 1;
    if (sent > at || (sent === at && !after)) throw new Killed();
    const answer = await fetch(input, init);
    if (sent === at) throw new Killed();
    return answer;
  };
}

const FAILPOINTS: readonly LaunchFailpoint[] = ["before-intent", "after-intent", "after-spawn", "after-record"];

/** Where one process dies: with a request, at a step of the launch, or not at all. */
function deathOf(random: ReturnType<typeof seededRandom>, fetch: typeof globalThis.fetch) {
  const roll = random.next();
  if (roll < 0.5) return { fetch: dying(fetch, 1 + random.whole(8), random.next() < 0.5) };
  const point = roll < 0.8 ? FAILPOINTS[random.whole(FAILPOINTS.length)] : undefined;
  const failpoint = (name: LaunchFailpoint): void => {
    if (name === point) throw new Killed();
  };
  return { fetch, failpoint };
}

test(`killed anywhere in ${RUNS} launches over three zones, and launched again: one instance, found by its key`, async () => {
  for (let run = 1; run <= RUNS; run += 1) {
    const random = seededRandom(run);
    const world = awsWorld({ readLagMs: random.whole(4_000), latencyMs: 0 });
    const closed = ["us-east-1a", "us-east-1b", "us-east-1c"].filter(() => random.next() < 0.3);
    for (const zone of closed.slice(0, 2)) world.emulator.control.setCapacity({ zone, type: "m5.large" }, 0);
    const store = memoryStore();
    const { runtime = {} } = world.options();
    const { fetch = globalThis.fetch } = runtime;
    let last = "";
    for (let tries = 0; tries < 20; tries += 1) {
      const { fetch: wire, failpoint } = deathOf(random, fetch);
      const provider = world.another({ runtime: { ...runtime, fetch: wire } });
      try {
        const placements = await provider.placements({ spec: "m5.large" });
        const options = {
          store,
          clock: world.emulator.clock,
          placements,
          ...(failpoint === undefined ? {} : { failpoint }),
        };
        last = (await launch(provider, { key: "k", spec: "m5.large" }, options)).id;
        break;
      } catch (error) {
        if (!isProviderError(error) && !(error instanceof Killed)) throw error;
        await world.emulator.clock.sleep(60_000);
      }
    }
    const live = world.emulator.control.instances().filter((one) => one.live);
    expect(
      live.map(({ key }) => key),
      `run ${run}`,
    ).toEqual(["k"]);
    await world.emulator.clock.sleep(5_000);
    expect(
      (await world.another().list({ keys: ["k"] })).map(({ id }) => id),
      `run ${run}`,
    ).toEqual([last]);
  }
}, 300_000);

test("killed between the launch and its volume, and launched again: the volume is attached", async () => {
  const world = awsWorld({ readLagMs: 1_000 });
  const { clock, control } = world.emulator;
  const { id: volume } = await world.provider.createVolume({ key: "v", sizeBytes: 1024 ** 3, zone: "us-east-1a" });
  await clock.sleep(10_000);
  const options = { key: "k", spec: "m5.large", volumes: [{ id: volume, mountPath: "/data" }] } as const;
  const store = memoryStore();
  const killed = through(world, async ({ action }, send) => {
    if (action === "AttachVolume") throw new Killed();
    return await send();
  });
  const dead = (name: LaunchFailpoint): void => {
    if (name === "after-spawn") throw new Killed();
  };
  // The process is gone before it can say or write down anything.
  const silent = {
    ...store,
    write: async (...given: Parameters<typeof store.write>) => {
      if (given[1].kind === "launch" && given[1].state === "intended") await store.write(...given);
    },
  };
  expect(await failure(launch(killed, options, { store: silent, clock, failpoint: dead }))).toMatchObject({
    effect: "applied",
  });
  expect(await store.read(launchId({ provider: "aws", account: "", owner: "tests", key: "k" }))).toMatchObject({
    state: "intended",
  });
  const { id, nativeId } = await launch(world.another(), options, { store, clock });
  expect(control.volumes().find((one) => volume.endsWith(one.id))?.attachment?.instanceId).toBe(nativeId);
  expect((await world.another().list({ keys: ["k"] })).map((one) => one.id)).toEqual([id]);
});

test("an instance in another region is ended through the erased provider", async () => {
  const world = awsWorld({}, { regions: ["us-east-1", "eu-central-1"] });
  const erased = projectProvider(world.provider);
  const { id } = await world.provider.spawn({ spec: "t3.micro", region: "eu-central-1" });
  await erased.terminate(id);
  expect(world.emulator.control.instances().map(({ region, live }) => `${region} ${live}`)).toEqual([
    "eu-central-1 false",
  ]);
});
