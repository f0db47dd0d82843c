import {
  type EmulatorServer,
  type MachinesKind,
  nodeHttpAdapter,
  scaledClock,
  withMachines,
} from "@slipway/provider-kit/emulator";
import { type RunpodEmulator, runpodEmulator } from "./emulator.ts";
import type { RunpodEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<RunpodEmulatorSettings, "clock" | "machines"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** How many times as fast as real time everything inside passes; 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its pods; nothing if absent, and they show the address of the server itself. */
  readonly machines?: MachinesKind | undefined;
}

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
  const { port, speed = 1, machines: kind, ...settings } = options;
  return await withMachines(kind, async (machines) => {
    // A provider in another process probes what it is told: there must be something that answers.
    const directAt = () => ({ host: "127.0.0.1", port: server.port });
    const emulator = runpodEmulator({ directAt, ...settings, machines, clock: scaledClock(speed) });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    const baseUrl = `${server.url}/v2`;
    const [apiKey = ANY_KEY] = settings.apiKeys ?? [];
    const variables = { RUNPOD_BASE_URL: baseUrl, RUNPOD_API_KEY: apiKey };
    return { baseUrl, variables, port: server.port, emulator, close: server.close };
  });
}
