import { type EmulatorServer, nodeHttpAdapter, scaledClock } from "@slipway/provider-kit/emulator";
import { EMULATED_REGIONS } from "./catalogue.ts";
import { type Ec2Emulator, ec2Emulator } from "./emulator.ts";
import { type Ec2EmulatorSettings, EMULATOR_CREDENTIALS } from "./settings.ts";

export interface ServeOptions extends Omit<Ec2EmulatorSettings, "clock"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
}

export interface Ec2EmulatorServer extends EmulatorServer {
  readonly emulator: Ec2Emulator;
}

/** The emulator as a server on the loopback, for all services that it knows. */
export async function serve(options: ServeOptions = {}): Promise<Ec2EmulatorServer> {
  const { port, speed = 1, ...settings } = options;
  const emulator = ec2Emulator({ ...settings, clock: scaledClock(speed) });
  const server = await nodeHttpAdapter(emulator.handle, { port });
  const [credentials = EMULATOR_CREDENTIALS] = settings.credentials ?? [];
  const [region = "us-east-1"] = settings.regions ?? EMULATED_REGIONS;
  const variables = {
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return { baseUrl: server.url, variables, port: server.port, emulator, close: server.close };
}
