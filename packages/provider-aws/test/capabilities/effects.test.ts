import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import type { AwsProvider } from "../../src/index.ts";
import { type AwsWorld, awsWorld, refusedWith, through } from "../world.ts";

const GIB = 1024 ** 3;
const zone = "us-east-1a";
const spec = { spec: "m5.large" } as const;

/** The ids of what stands ready for a call: what it needs, and nothing else, since each request of each call has a world of its own. */
interface Ready {
  readonly instance: string;
  readonly stopped: string;
  readonly snapshot: string;
  readonly volume: string;
  readonly other: string;
  readonly pooled: string;
  readonly request: string;
}

interface Work {
  readonly needs: readonly (keyof Ready)[];
  readonly call: (provider: AwsProvider, ready: Ready, signal: AbortSignal) => Promise<unknown>;
}

const WORK: Readonly<Record<string, Work>> = {
  spawn: {
    needs: ["other", "pooled"],
    call: (provider, { other }, signal) =>
      provider.spawn({ ...spec, key: "n", volumes: [{ id: other, mountPath: "/m" }], warmVolume: "p", signal }),
  },
  requestSpotInstance: {
    needs: [],
    call: (provider, _ready, signal) => provider.requestSpotInstance({ ...spec, key: "n", spot: {}, signal }),
  },
  cancelSpotRequest: {
    needs: ["request"],
    call: (provider, { request }, signal) => provider.cancelSpotRequest(request, { signal }),
  },
  terminate: {
    needs: ["instance"],
    call: (provider, { instance }, signal) => provider.terminate(instance, { signal }),
  },
  hibernate: {
    needs: ["instance"],
    call: (provider, { instance }, signal) => provider.hibernate(instance, { signal }),
  },
  resume: { needs: ["stopped"], call: (provider, { stopped }, signal) => provider.resume(stopped, { signal }) },
  createSnapshot: {
    needs: ["instance"],
    call: (provider, { instance }, signal) => provider.createSnapshot(instance, { key: "n", signal }),
  },
  deleteSnapshot: {
    needs: ["instance", "snapshot"],
    call: (provider, { snapshot }, signal) => provider.deleteSnapshot(snapshot, { signal }),
  },
  createVolume: {
    needs: [],
    call: (provider, _ready, signal) => provider.createVolume({ key: "n", sizeBytes: GIB, zone, signal }),
  },
  deleteVolume: {
    needs: ["volume"],
    call: (provider, { volume }, signal) => provider.deleteVolume(volume, { signal }),
  },
  warmVolume: {
    needs: [],
    call: (provider, _ready, signal) => provider.warmVolume({ key: "n", pool: "q", sizeBytes: GIB, zone, signal }),
  },
  claimWarmVolume: {
    needs: ["instance", "pooled"],
    call: (provider, { instance }, signal) => provider.claimWarmVolume({ pool: "p", instanceId: instance, signal }),
  },
  releaseWarmVolume: {
    needs: ["pooled"],
    call: (provider, { pooled }, signal) => provider.releaseWarmVolume(pooled, { signal }),
  },
};

async function ready({ provider, emulator }: AwsWorld, needs: Work["needs"]): Promise<Ready> {
  const made = { instance: "", stopped: "", snapshot: "", volume: "", other: "", pooled: "", request: "" };
  const needed = (name: keyof Ready): boolean => needs.includes(name);
  const volumeOf = async (key: string) => (await provider.createVolume({ key, sizeBytes: GIB, zone })).id;
  const tie = needed("instance") ? await volumeOf("tie") : "";
  if (needed("volume")) made.volume = await volumeOf("volume");
  if (needed("other")) made.other = await volumeOf("other");
  if (needed("pooled"))
    made.pooled = (await provider.warmVolume({ key: "pooled", pool: "p", sizeBytes: GIB, zone })).id;
  await emulator.clock.sleep(20_000);
  if (needed("instance")) {
    const inZone = { ...spec, hibernation: true, volumes: [{ id: tie, mountPath: "/m" }] };
    made.instance = (await provider.spawn({ ...inZone, key: "running" })).id;
  }
  if (needed("stopped")) made.stopped = (await provider.spawn({ ...spec, hibernation: true, key: "stopped" })).id;
  if (needed("request"))
    made.request = (await provider.requestSpotInstance({ ...spec, key: "spot", spot: {} })).requestId;
  await emulator.clock.sleep(200_000);
  if (needed("snapshot")) made.snapshot = (await provider.createSnapshot(made.instance, { key: "snapshot" })).id;
  if (needed("stopped")) await provider.hibernate(made.stopped);
  await emulator.clock.sleep(200_000);
  return made;
}

const MOST_REQUESTS = 25;
const HOW = ["refused", "aborted before it is sent", "aborted once it is done"] as const;

/** Breaks the nth request of a call; answers what the call ended with, and whether it sent so many at all. */
async function broken({ needs, call }: Work, how: (typeof HOW)[number], at: number) {
  const world = awsWorld({ bootMs: 1_000, attachMs: 200 });
  const things = await ready(world, needs);
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
  const error: unknown = await call(provider, things, controller.signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, action, reached: sent >= at, changed: world.emulator.control.changes() > before };
}

describe.each(HOW)("a request that is %s", (how) => {
  test.each(Object.entries(WORK))("in the middle of %s: the effect tells what was done", async (_name, work) => {
    for (let at = 1; at <= MOST_REQUESTS; at += 1) {
      const { error, action, reached, changed } = await broken(work, how, at);
      if (!reached) break;
      if (error === undefined) continue;
      const effect = changed ? /applied|unknown/ : how === "refused" ? /^none$/ : /none|unknown/;
      expect(error, `request ${at}, ${action}`).toMatchObject({ effect: expect.stringMatching(effect) });
    }
  });
});
