import { isProviderError, type ProviderError } from "@slipway/core";
import { type GcpEmulator, type GcpEmulatorSettings, gcpEmulator } from "../emulator/index.ts";
import { type GcpOptions, type GcpProvider, gcp } from "../src/index.ts";
import { PROJECT, runtimeOf, TOKEN, ZONES } from "./gcp-harness.ts";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface GcpWorld {
  readonly emulator: GcpEmulator;
  readonly provider: GcpProvider;
  /** Another process: it shares nothing but the remote. */
  readonly another: (options?: Partial<GcpOptions>) => GcpProvider;
  /** Every request so far, in order. */
  readonly sent: readonly Sent[];
}

/** An emulator, and a provider over it. */
export function gcpWorld(settings: GcpEmulatorSettings = {}, options: Partial<GcpOptions> = {}): GcpWorld {
  const emulator = gcpEmulator({ tokens: [TOKEN], project: PROJECT, ...settings });
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(String(input));
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : {};
    sent.push({
      method: init?.method ?? "GET",
      path: url.pathname.replace(`/compute/v1/projects/${PROJECT}/`, ""),
      query: url.searchParams,
      headers: new Headers(init?.headers),
      body: body as Record<string, unknown>,
    });
    return await emulator.fetch(input, init);
  };
  const another = (more: Partial<GcpOptions> = {}): GcpProvider =>
    gcp({
      project: PROJECT,
      accessToken: async () => TOKEN,
      owner: "tests",
      zones: ZONES,
      readAfterWriteMs: 5_000,
      runtime: { ...runtimeOf(emulator), fetch },
      ...options,
      ...more,
    });
  return { emulator, provider: another(), another, sent };
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
