import {
  type EmulatorServer,
  type ServedParts,
  type ServeOptionsBase,
  serveEmulator,
} from "@slipway/provider-kit/emulator";
import { type LambdaEmulator, lambdaEmulator } from "./emulator.ts";
import { EMULATOR_API_KEY, type LambdaEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<LambdaEmulatorSettings, "clock" | "machines">, ServeOptionsBase {}

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
  const { port, speed, machines: kind, ...settings } = options;
  const make = ({ machines, clock }: ServedParts) => lambdaEmulator({ ...settings, machines, clock });
  return await serveEmulator({ port, speed, machines: kind }, make, (url) => {
    const baseUrl = `${url}/api/v1/`;
    const [apiKey = EMULATOR_API_KEY] = settings.apiKeys ?? [];
    return { baseUrl, variables: { LAMBDA_BASE_URL: baseUrl, LAMBDA_API_KEY: apiKey } };
  });
}
