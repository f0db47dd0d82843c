import { isProviderError, type ProviderError } from "@slipway/core";
import { type LambdaEmulator, type LambdaEmulatorSettings, lambdaEmulator } from "../emulator/index.ts";
import { type LambdaOptions, type LambdaProvider, lambda } from "../src/index.ts";
import { API_KEY, runtimeOf } from "./lambda-harness.ts";

export const LAPTOP_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop";
export const OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther";
export const REGIONS: readonly string[] = ["us-west-1", "us-east-1"];

export interface LambdaWorld {
  readonly emulator: LambdaEmulator;
  readonly provider: LambdaProvider;
  /** Another process: it shares nothing but the remote. */
  readonly another: (options?: Partial<LambdaOptions>) => LambdaProvider;
  /** Bodies of the requests of one path, in order. */
  readonly sent: (path: string) => readonly Record<string, unknown>[];
}

/** An emulator without rate limits unless `settings` wants them, and a provider over it. */
export function lambdaWorld(settings: LambdaEmulatorSettings = {}, options: Partial<LambdaOptions> = {}): LambdaWorld {
  const emulator = lambdaEmulator({
    apiKeys: [API_KEY],
    limits: null,
    sshKeys: [{ name: "laptop", publicKey: LAPTOP_KEY }],
    ...settings,
  });
  const requests: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : {};
    requests.push({ path: new URL(String(input)).pathname, body: body as Record<string, unknown> });
    return await emulator.fetch(input, init);
  };
  const another = (more: Partial<LambdaOptions> = {}): LambdaProvider =>
    lambda({
      apiKey: API_KEY,
      owner: "tests",
      regions: REGIONS,
      sshKeyName: "laptop",
      requestsPerSecond: 1_000,
      secondsPerLaunch: 0.001,
      readAfterWriteMs: 5_000,
      runtime: { ...runtimeOf(emulator), fetch },
      ...options,
      ...more,
    });
  return {
    emulator,
    provider: another(),
    another,
    sent: (path) => requests.filter((request) => request.path.endsWith(path)).map(({ body }) => body),
  };
}

/** The ProviderError that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
  throw new Error("the call resolved");
}
