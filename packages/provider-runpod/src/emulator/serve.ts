import { type NodeHttpServer, nodeHttpAdapter, scaledClock } from "@slipway/provider-kit/emulator";
import { type RunpodEmulator, runpodEmulator } from "./emulator.ts";
import type { RunpodEmulatorSettings } from "./settings.ts";

export interface ServeOptions extends Omit<RunpodEmulatorSettings, "clock"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** How many times as fast as real time everything inside passes; 1 if absent. */
  readonly speed?: number | undefined;
}

export interface RunpodEmulatorServer extends Pick<NodeHttpServer, "port" | "close"> {
  /** What RUNPOD_BASE_URL is set to. */
  readonly baseUrl: string;
  readonly emulator: RunpodEmulator;
}

/** The emulator as a server on the loopback. */
export async function serve(options: ServeOptions = {}): Promise<RunpodEmulatorServer> {
  const { port, speed = 1, ...settings } = options;
  const emulator = runpodEmulator({ ...settings, clock: scaledClock(speed) });
  const server = await nodeHttpAdapter(emulator.handle, { port });
  return { baseUrl: `${server.url}/v2`, port: server.port, emulator, close: server.close };
}
