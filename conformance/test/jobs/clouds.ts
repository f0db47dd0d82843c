import { type Provider, systemClock } from "@slipway/core";
import { appleContainer } from "@slipway/provider-apple-container";
import { containerEmulator } from "@slipway/provider-apple-container/emulator";
import { aws } from "@slipway/provider-aws";
import { EMULATOR_CREDENTIALS, ec2Emulator } from "@slipway/provider-aws/emulator";
import { gcp } from "@slipway/provider-gcp";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, gcpEmulator } from "@slipway/provider-gcp/emulator";
import type { Machines } from "@slipway/provider-kit/emulator";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { local } from "@slipway/provider-local";
import { orbstack } from "@slipway/provider-orbstack";
import { orbstackEmulator } from "@slipway/provider-orbstack/emulator";
import { runpod } from "@slipway/provider-runpod";
import { runpodEmulator } from "@slipway/provider-runpod/emulator";

/** The one line of a job runner that changes, and what it rents there. */
export interface Place {
  readonly provider: Provider;
  readonly machine: { readonly spec?: string; readonly image?: string };
  /** How many instances the remote still has, whatever it says. */
  readonly left: () => number;
  readonly close?: () => Promise<void>;
}

const owner = "jobs";
const clock = systemClock;

/** Every provider that can be here without a cluster: its remote is emulated without lag, and its machines are real. */
export const PLACES: Readonly<Record<string, (machines: Machines, directory: string) => Place>> = {
  local: (_, directory) => ({
    provider: local({ owner, stateDirectory: `${directory}/local` }),
    machine: {},
    left: () => 0,
  }),
  orbstack: () => {
    const latencyMs = { create: 0, start: 0, stop: 0, delete: 0, clone: 0 };
    const emulator = orbstackEmulator({ clock, latencyMs });
    const provider = orbstack({ owner, runtime: { exec: emulator.exec } });
    return { provider, machine: {}, left: () => 0, close: emulator.close };
  },
  "apple-container": () => {
    const emulator = containerEmulator({ clock });
    const provider = appleContainer({ owner, runtime: { exec: emulator.exec } });
    return { provider, machine: {}, left: () => 0, close: emulator.close };
  },
  aws: (machines) => {
    const emulator = ec2Emulator({
      ...{ clock, machines, limits: null, latencyMs: 0, bootMs: 0, endMs: 0 },
    });
    const provider = aws({
      ...{ owner, credentials: EMULATOR_CREDENTIALS, regions: ["us-east-1"], readAfterWriteMs: 0 },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "t3.micro" }, left };
  },
  lambda: (machines) => {
    const lag = { latencyMs: 0, bootMs: 0, endMs: 0, listedAfterEndMs: 0, readableAfterEndMs: 0, limits: null };
    const emulator = lambdaEmulator({ ...lag, clock, machines });
    const provider = lambda({
      ...{ owner, apiKey: EMULATOR_API_KEY, readAfterWriteMs: 0, requestsPerSecond: 1000, secondsPerLaunch: 0.001 },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "gpu_1x_a10" }, left };
  },
  runpod: (machines) => {
    const emulator = runpodEmulator({ clock, machines, provisionMs: 0, pullMs: 0, directMs: 0, rates: null });
    const provider = runpod({
      ...{ owner, apiKey: "any", readAfterWriteMs: 0, requestsPerMinute: 6_000, requestsPerHour: 360_000 },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.pods().filter(({ deletedAt }) => deletedAt === null).length;
    return { provider, machine: { spec: "NVIDIA L4" }, left };
  },
  gcp: (machines) => {
    const emulator = gcpEmulator({
      ...{ clock, machines, latencyMs: 0, insertMs: 0, visibleMs: 0, pendingMs: 0, deleteMs: 0 },
    });
    const provider = gcp({
      ...{ owner, project: EMULATOR_PROJECT, accessToken: async () => EMULATOR_TOKEN, zones: ["us-central1-a"] },
      readAfterWriteMs: 0,
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "e2-medium" }, left };
  },
};
