import {
  type EmulatorServer,
  type ServedParts,
  type ServeOptionsBase,
  serveEmulator,
} from "@slipway/provider-kit/emulator";
import { type RunpodEmulator, runpodEmulator } from "./emulator.ts";
import type { RunpodEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<RunpodEmulatorSettings, "clock" | "machines">, ServeOptionsBase {}

export interface RunpodEmulatorServer extends EmulatorServer {
  readonly emulator: RunpodEmulator;
}

// It lets in every key where the settings name none.
const ANY_KEY = "runpod-emulator-key";

/**
 * The emulator as a server on the loopback.
 *
 * @example
 * ```ts
 * const server = await serve();
 * console.log(server.baseUrl, server.variables);
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<RunpodEmulatorServer> {
  const { port, speed, machines: kind, ...settings } = options;
  const make = ({ machines, clock, port: own }: ServedParts) => {
    // A provider in another process probes what it is told: there must be something that answers.
    const directAt = () => ({ host: "127.0.0.1", port: own() });
    return runpodEmulator({ directAt, ...settings, machines, clock });
  };
  return await serveEmulator({ port, speed, machines: kind }, make, (url) => {
    const baseUrl = `${url}/v2`;
    const [apiKey = ANY_KEY] = settings.apiKeys ?? [];
    return { baseUrl, variables: { RUNPOD_BASE_URL: baseUrl, RUNPOD_API_KEY: apiKey } };
  });
}
