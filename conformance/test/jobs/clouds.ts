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
  /** Where its instances may write: the root of their own if absent. */
  readonly folder?: string;
  /** How many instances the remote still has, whatever it says. */
  readonly left: () => number | Promise<number>;
  readonly close?: () => Promise<void>;
  /** The remote's own API, for what the contract has no method for. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

const owner = "jobs";
const clock = systemClock;

/** What lag does to a remote: its reads miss writes, machines boot and end later, requests take their time. */
const LAG_MS = 1_500;

/** Every provider that can be here without a cluster: its remote is emulated, and its machines are real. */
export const PLACES: Readonly<Record<string, (machines: Machines, directory: string, lags: boolean) => Place>> = {
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
  aws: (machines, _, lags) => {
    const lag = lags ? LAG_MS : 0;
    const emulator = ec2Emulator({
      ...{ clock, machines, limits: null, latencyMs: lag / 100, bootMs: lag, endMs: lag, readLagMs: lag },
    });
    const provider = aws({
      ...{ owner, credentials: EMULATOR_CREDENTIALS, regions: ["us-east-1"], readAfterWriteMs: 2 * lag },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "t3.micro" }, left, fetch: emulator.fetch };
  },
  lambda: (machines, _, lags) => {
    const lag = lags ? LAG_MS : 0;
    const emulator = lambdaEmulator({
      ...{ clock, machines, limits: null, latencyMs: lag / 100, readLagMs: lag, bootMs: lag, addressMs: lag },
      ...{ endMs: lag, listedAfterEndMs: lag, readableAfterEndMs: lag },
    });
    const provider = lambda({
      ...{
        owner,
        apiKey: EMULATOR_API_KEY,
        readAfterWriteMs: 2 * lag,
        requestsPerSecond: 1000,
        secondsPerLaunch: 0.001,
      },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "gpu_1x_a10" }, left, fetch: emulator.fetch };
  },
  runpod: (machines, _, lags) => {
    const lag = lags ? LAG_MS : 0;
    const emulator = runpodEmulator({
      ...{ clock, machines, rates: null, latencyMs: lag / 100, provisionMs: lag, pullMs: lag, directMs: lag },
      ...{ listLagMs: lag, freshNotFoundMs: lag },
    });
    const provider = runpod({
      ...{ owner, apiKey: "any", readAfterWriteMs: 2 * lag, requestsPerMinute: 6_000, requestsPerHour: 360_000 },
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.pods().filter(({ deletedAt }) => deletedAt === null).length;
    return { provider, machine: { spec: "NVIDIA L4" }, left, fetch: emulator.fetch };
  },
  gcp: (machines, _, lags) => {
    const lag = lags ? LAG_MS : 0;
    const emulator = gcpEmulator({
      ...{ clock, machines, latencyMs: lag / 100, listLagMs: lag, insertMs: lag, visibleMs: lag, pendingMs: lag },
      ...{ deleteMs: lag, operationLagMs: lag / 10 },
    });
    const provider = gcp({
      ...{ owner, project: EMULATOR_PROJECT, accessToken: async () => EMULATOR_TOKEN, zones: ["us-central1-a"] },
      readAfterWriteMs: 2 * lag,
      runtime: { fetch: emulator.fetch },
    });
    const left = (): number => emulator.control.instances().filter(({ live }) => live).length;
    return { provider, machine: { spec: "e2-medium" }, left, fetch: emulator.fetch };
  },
};
