import { type NodeHttpServer, nodeHttpAdapter, scaledClock } from "@slipway/provider-kit/emulator";
import { type LambdaEmulator, lambdaEmulator } from "./emulator.ts";
import type { LambdaEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<LambdaEmulatorSettings, "clock"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
}

export interface LambdaEmulatorServer {
  /** What a provider takes as `baseUrl`, or as LAMBDA_BASE_URL. */
  readonly baseUrl: string;
  readonly port: number;
  readonly emulator: LambdaEmulator;
  readonly close: () => Promise<void>;
}

/** The emulator as a server on the loopback. */
export async function serve(options: ServeOptions = {}): Promise<LambdaEmulatorServer> {
  const { port, speed = 1, ...settings } = options;
  const emulator = lambdaEmulator({ ...settings, clock: scaledClock(speed) });
  const server: NodeHttpServer = await nodeHttpAdapter(emulator.handle, { port });
  return { baseUrl: `${server.url}/api/v1/`, port: server.port, emulator, close: server.close };
}
