import {
  type EmulatorServer,
  type MachinesKind,
  nodeHttpAdapter,
  scaledClock,
  withMachines,
} from "@slipway/provider-kit/emulator";
import { EMULATED_REGIONS } from "./catalogue.ts";
import { type Ec2Emulator, ec2Emulator } from "./emulator.ts";
import { type Ec2EmulatorSettings, EMULATOR_CREDENTIALS } from "./settings.ts";

export interface ServeOptions extends Omit<Ec2EmulatorSettings, "clock" | "machines"> {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its instances; nothing if absent, and they show an address where nothing answers. */
  readonly machines?: MachinesKind | undefined;
}

export interface Ec2EmulatorServer extends EmulatorServer {
  readonly emulator: Ec2Emulator;
}

/**
 * The emulator as a server on the loopback, for all services that it knows.
 *
 * @example
 * ```ts
 * const server = await serve();
 * console.log(server.baseUrl, server.variables);
 * await server.close();
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<Ec2EmulatorServer> {
  const { port, speed = 1, machines: kind, ...settings } = options;
  return await withMachines(kind, async (machines) => {
    const emulator = ec2Emulator({ ...settings, machines, clock: scaledClock(speed) });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    const [credentials = EMULATOR_CREDENTIALS] = settings.credentials ?? [];
    const [region = "us-east-1"] = settings.regions ?? EMULATED_REGIONS;
    const variables = {
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: region,
      // What boto3 reads.
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    return { baseUrl: server.url, variables, port: server.port, emulator, close: server.close };
  });
}
