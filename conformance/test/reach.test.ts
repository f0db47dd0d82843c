import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReachCase, reachCases, runReachCase } from "@slipway/contract-tests/reach";
import { type ExecMethods, type Instance, type Provider, systemClock } from "@slipway/core";
import { appleContainer } from "@slipway/provider-apple-container";
import { containerEmulator } from "@slipway/provider-apple-container/emulator";
import { local } from "@slipway/provider-local";
import { orbstack } from "@slipway/provider-orbstack";
import { orbstackEmulator } from "@slipway/provider-orbstack/emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nativeHarness } from "./reach-places.ts";

const owner = "reach";
const clock = systemClock;

type Place = { readonly provider: Provider & ExecMethods; readonly close?: () => Promise<void> };

const PLACES: Readonly<Record<string, (directory: string) => Place>> = {
  local: (directory) => ({ provider: local({ owner, stateDirectory: join(directory, "local") }) }),
  orbstack: () => {
    const latencyMs = { create: 0, start: 0, stop: 0, delete: 0, clone: 0 };
    const emulator = orbstackEmulator({ clock, latencyMs });
    return { provider: orbstack({ owner, runtime: { exec: emulator.exec } }), close: emulator.close };
  },
  "apple-container": () => {
    const emulator = containerEmulator({ clock });
    return { provider: appleContainer({ owner, runtime: { exec: emulator.exec } }), close: emulator.close };
  },
};

const table = reachCases.map((one) => [one.id, one.title, one] as const);

describe.each(Object.entries(PLACES))("a session into %s", { timeout: 120_000 }, (_name, placeIn) => {
  let directory: string;
  let place: Place;
  let instance: Instance;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-reach-"));
    place = placeIn(directory);
    instance = await place.provider.spawn({ key: "reach" });
  }, 120_000);
  afterAll(async () => {
    await place.provider.terminate(instance.id);
    await place.close?.();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(table)("keeps %s: %s", async (_id, _title, one: ReachCase) => {
    const skip = await runReachCase(one, nativeHarness(place.provider, instance.id));
    expect(skip !== undefined).toBe(one.needs === "cut");
  });
});
