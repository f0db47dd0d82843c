import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import type { AwsProvider } from "../../src/index.ts";
import { type AwsWorld, awsWorld, refusedWith, through } from "../world.ts";

const GIB = 1024 ** 3;
const zone = "us-east-1a";
const spec = { spec: "m5.large" } as const;

/** The ids of what stands ready for the calls. */
interface Ready {
  readonly instance: string;
  readonly stopped: string;
  readonly snapshot: string;
  readonly volume: string;
  readonly other: string;
  readonly pooled: string;
  readonly request: string;
}

type Work = (provider: AwsProvider, ready: Ready, signal: AbortSignal) => Promise<unknown>;

const WORK: Readonly<Record<string, Work>> = {
  spawn: (provider, { other }, signal) =>
    provider.spawn({ ...spec, key: "n", volumes: [{ id: other, mountPath: "/m" }], warmVolume: "p", signal }),
  requestSpotInstance: (provider, _ready, signal) =>
    provider.requestSpotInstance({ ...spec, key: "n", spot: {}, signal }),
  cancelSpotRequest: (provider, { request }, signal) => provider.cancelSpotRequest(request, { signal }),
  terminate: (provider, { instance }, signal) => provider.terminate(instance, { signal }),
  hibernate: (provider, { instance }, signal) => provider.hibernate(instance, { signal }),
  resume: (provider, { stopped }, signal) => provider.resume(stopped, { signal }),
  createSnapshot: (provider, { instance }, signal) => provider.createSnapshot(instance, { key: "n", signal }),
  deleteSnapshot: (provider, { snapshot }, signal) => provider.deleteSnapshot(snapshot, { signal }),
  createVolume: (provider, _ready, signal) => provider.createVolume({ key: "n", sizeBytes: GIB, zone, signal }),
  deleteVolume: (provider, { volume }, signal) => provider.deleteVolume(volume, { signal }),
  warmVolume: (provider, _ready, signal) => provider.warmVolume({ key: "n", pool: "q", sizeBytes: GIB, zone, signal }),
  claimWarmVolume: (provider, { instance }, signal) =>
    provider.claimWarmVolume({ pool: "p", instanceId: instance, signal }),
  releaseWarmVolume: (provider, { pooled }, signal) => provider.releaseWarmVolume(pooled, { signal }),
};

async function ready({ provider, emulator }: AwsWorld): Promise<Ready> {
  const volumeOf = async (key: string) => (await provider.createVolume({ key, sizeBytes: GIB, zone })).id;
  const [tie, volume, other] = [await volumeOf("tie"), await volumeOf("volume"), await volumeOf("other")];
  const { id: pooled } = await provider.warmVolume({ key: "pooled", pool: "p", sizeBytes: GIB, zone });
  await emulator.clock.sleep(20_000);
  const inZone = { ...spec, hibernation: true, volumes: [{ id: tie, mountPath: "/m" }] };
  const { id: instance } = await provider.spawn({ ...inZone, key: "running" });
  const { id: stopped } = await provider.spawn({ ...spec, hibernation: true, key: "stopped" });
  const { requestId } = await provider.requestSpotInstance({ ...spec, key: "spot", spot: {} });
  await emulator.clock.sleep(200_000);
  const { id: snapshot } = await provider.createSnapshot(instance, { key: "snapshot" });
  await provider.hibernate(stopped);
  await emulator.clock.sleep(200_000);
  return { instance, stopped, snapshot, volume, other, pooled, request: requestId };
}

const MOST_REQUESTS = 25;
const HOW = ["refused", "aborted before it is sent", "aborted once it is done"] as const;

/** Breaks the nth request of a call; answers what the call ended with, and whether it sent so many at all. */
async function broken(name: string, how: (typeof HOW)[number], at: number) {
  const world = awsWorld({ bootMs: 1_000, attachMs: 200 });
  const things = await ready(world);
  const controller = new AbortController();
  let sent = 0;
  let action = "";
  const provider = through(world, async (request, send) => {
    sent += 1;
    if (sent !== at) return await send();
    ({ action } = request);
    if (how === "refused") return refusedWith("UnauthorizedOperation", "no", 403);
    const answer = how === "aborted once it is done" ? await send() : undefined;
    controller.abort();
    if (answer === undefined) throw controller.signal.reason;
    return answer;
  });
  const before = world.emulator.control.changes();
  const error: unknown = await (WORK[name]?.(provider, things, controller.signal) ?? Promise.resolve()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, action, reached: sent >= at, changed: world.emulator.control.changes() > before };
}

describe.each(HOW)("a request that is %s", (how) => {
  test.each(Object.keys(WORK))("in the middle of %s: the effect tells what was done", async (name) => {
    for (let at = 1; at <= MOST_REQUESTS; at += 1) {
      const { error, action, reached, changed } = await broken(name, how, at);
      if (!reached) break;
      if (error === undefined) continue;
      const effect = changed ? /applied|unknown/ : how === "refused" ? /^none$/ : /none|unknown/;
      expect(error, `request ${at}, ${action}`).toMatchObject({ effect: expect.stringMatching(effect) });
    }
  });
});
