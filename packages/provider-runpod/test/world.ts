import { isProviderError, type ProviderError } from "@slipway/core";
import { type SimulatedClock, simulatedClock } from "@slipway/provider-kit/emulator";
import { type RunpodEmulator, type RunpodEmulatorSettings, runpodEmulator } from "../emulator/index.ts";
import { type RunpodOptions, type RunpodProvider, runpod } from "../src/index.ts";
import { API_KEY } from "./runpod-harness.ts";

export interface TestWorld {
  readonly clock: SimulatedClock;
  readonly emulator: RunpodEmulator;
  readonly provider: RunpodProvider;
  /** Another process: it shares the remote alone. */
  readonly another: (options?: Partial<RunpodOptions>) => RunpodProvider;
}

/** A provider on an emulator without limits of rate, whose sshd answers at once. */
export function testWorld(settings: RunpodEmulatorSettings = {}, options: Partial<RunpodOptions> = {}): TestWorld {
  const clock = simulatedClock({ start: "2026-11-20T12:00:00.000Z" });
  const emulator = runpodEmulator({ clock, apiKeys: [API_KEY], rates: null, ...settings });
  const another = (more: Partial<RunpodOptions> = {}): RunpodProvider =>
    runpod({
      apiKey: API_KEY,
      owner: "tests",
      readAfterWriteMs: 0,
      probe: false,
      requestsPerMinute: 1e6,
      requestsPerHour: 1e7,
      requestsPerDay: 1e8,
      runtime: { clock, fetch: emulator.fetch },
      ...options,
      ...more,
    });
  return { clock, emulator, provider: another(), another };
}

/** The error that a call rejects with; fails if it resolves or rejects with anything else. */
export async function rejection(call: Promise<unknown>): Promise<ProviderError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("value" in outcome) throw new Error(`it resolved with ${JSON.stringify(outcome.value)}`);
  if (isProviderError(outcome.error)) return outcome.error;
  throw outcome.error;
}

/** The creates that RunPod has been sent, with their bodies. */
export function createsOf({ requests }: RunpodEmulator): readonly Readonly<Record<string, unknown>>[] {
  return requests
    .filter(({ method, path }) => method === "POST" && path === "/v2/pods")
    .map(({ body }) => body as Readonly<Record<string, unknown>>);
}
