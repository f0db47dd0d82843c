import {
  type EmulatorServer,
  type MachinesKind,
  nodeHttpAdapter,
  scaledClock,
  withMachines,
} from "@slipway/provider-kit/emulator";
import { type GcpEmulator, gcpEmulator } from "./emulator.ts";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, type GcpEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<GcpEmulatorSettings, "clock" | "machines"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: operations, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its instances; nothing if absent, and they show an address where nothing answers. */
  readonly machines?: MachinesKind | undefined;
}

export interface GcpEmulatorServer extends EmulatorServer {
  readonly emulator: GcpEmulator;
}

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
export async function serve(options: ServeOptions = {}): Promise<GcpEmulatorServer> {
  const { port, speed = 1, machines: kind, ...settings } = options;
  return await withMachines(kind, async (machines) => {
    const emulator = gcpEmulator({ ...settings, machines, clock: scaledClock(speed) });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    const baseUrl = `${server.url}/compute/v1/`;
    const [token = EMULATOR_TOKEN] = settings.tokens ?? [];
    const { project = EMULATOR_PROJECT } = settings;
    const variables = { GCP_BASE_URL: baseUrl, GCP_ACCESS_TOKEN: token, GOOGLE_CLOUD_PROJECT: project };
    return { baseUrl, variables, port: server.port, emulator, close: server.close };
  });
}
