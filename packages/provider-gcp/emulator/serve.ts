import {
  type EmulatorServer,
  type ServedParts,
  type ServeOptionsBase,
  serveEmulator,
} from "@slipway/provider-kit/emulator";
import { type GcpEmulator, gcpEmulator } from "./emulator.ts";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, type GcpEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<GcpEmulatorSettings, "clock" | "machines">, ServeOptionsBase {}

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
  const { port, speed, machines: kind, ...settings } = options;
  const make = ({ machines, clock }: ServedParts) => gcpEmulator({ ...settings, machines, clock });
  return await serveEmulator({ port, speed, machines: kind }, make, (url) => {
    const baseUrl = `${url}/compute/v1/`;
    const [token = EMULATOR_TOKEN] = settings.tokens ?? [];
    const { project = EMULATOR_PROJECT } = settings;
    return { baseUrl, variables: { GCP_BASE_URL: baseUrl, GCP_ACCESS_TOKEN: token, GOOGLE_CLOUD_PROJECT: project } };
  });
}
