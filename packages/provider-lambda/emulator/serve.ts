import {
  type EmulatorServer,
  type MachinesKind,
  nodeHttpAdapter,
  scaledClock,
  withMachines,
} from "@slipway/provider-kit/emulator";
import { type LambdaEmulator, lambdaEmulator } from "./emulator.ts";
import { EMULATOR_API_KEY, type LambdaEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<LambdaEmulatorSettings, "clock" | "machines"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its instances; nothing if absent, and they show an address where nothing answers. */
  readonly machines?: MachinesKind | undefined;
}

export interface LambdaEmulatorServer extends EmulatorServer {
  readonly emulator: LambdaEmulator;
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
export async function serve(options: ServeOptions = {}): Promise<LambdaEmulatorServer> {
  const { port, speed = 1, machines: kind, ...settings } = options;
  return await withMachines(kind, async (machines) => {
    const emulator = lambdaEmulator({ ...settings, machines, clock: scaledClock(speed) });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    const baseUrl = `${server.url}/api/v1/`;
    const [apiKey = EMULATOR_API_KEY] = settings.apiKeys ?? [];
    const variables = { LAMBDA_BASE_URL: baseUrl, LAMBDA_API_KEY: apiKey };
    return { baseUrl, variables, port: server.port, emulator, close: server.close };
  });
}
