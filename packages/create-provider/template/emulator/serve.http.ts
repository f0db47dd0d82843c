import { type EmulatorServer, nodeHttpAdapter, scaledClock } from "@slipway/provider-kit/emulator";
import type { CloudSettings } from "./cloud.ts";
import { __name__Emulator } from "./emulator.ts";

export interface ServeOptions extends CloudSettings {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** How many times as fast as real time everything inside passes; 1 if absent. */
  readonly speed?: number | undefined;
}

/** The emulator as a server on the loopback: what `slipway emulate __NAME__` starts. */
export async function serve({ port, speed = 1, ...settings }: ServeOptions = {}): Promise<EmulatorServer> {
  const { handle } = __name__Emulator({ ...settings, clock: scaledClock(speed) });
  const server = await nodeHttpAdapter(handle, { port });
  const baseUrl = `${server.url}/v1/`;
  const variables = { __NAME_ENV___BASE_URL: baseUrl, __NAME_ENV___API_KEY: "emulator" };
  return { baseUrl, variables, port: server.port, close: server.close };
}
