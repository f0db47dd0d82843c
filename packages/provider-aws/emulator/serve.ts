import {
  type EmulatorServer,
  type ServedParts,
  type ServeOptionsBase,
  serveEmulator,
} from "@slipway/provider-kit/emulator";
import { EMULATED_REGIONS } from "./catalogue.ts";
import { type Ec2Emulator, ec2Emulator } from "./emulator.ts";
import { type Ec2EmulatorSettings, EMULATOR_CREDENTIALS } from "./settings.ts";

export interface ServeOptions extends Omit<Ec2EmulatorSettings, "clock" | "machines">, ServeOptionsBase {}

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
  const { port, speed, machines: kind, ...settings } = options;
  const make = ({ machines, clock }: ServedParts) => ec2Emulator({ ...settings, machines, clock });
  return await serveEmulator({ port, speed, machines: kind }, make, (url) => {
    const [credentials = EMULATOR_CREDENTIALS] = settings.credentials ?? [];
    const [region = "us-east-1"] = settings.regions ?? EMULATED_REGIONS;
    const variables = {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      // What boto3 reads.
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    return { baseUrl: url, variables };
  });
}
