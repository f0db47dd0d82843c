import type { CostExplorerClient } from "@aws-sdk/client-cost-explorer";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { PricingClient } from "@aws-sdk/client-pricing";
import type { SSMClient } from "@aws-sdk/client-ssm";
import type { STSClient } from "@aws-sdk/client-sts";
import type { FetchHandler } from "./exchange.ts";
import type { AwsCredentials } from "./options.ts";
import { VERSION } from "./package-version.ts";

/** What every client of the SDK is made with. */
export interface SdkConfig {
  readonly endpoint: string | undefined;
  /** Absent: the SDK's own chain. */
  readonly credentials: AwsCredentials | undefined;
  readonly requestHandler: FetchHandler;
}

/** The SDK's clients, each loaded and made at its first use: loading one takes up to 300 ms and 75 MB. */
export interface Sdk {
  readonly ec2: (region: string) => Promise<Service>;
  readonly pricing: () => Promise<Service>;
  readonly costExplorer: () => Promise<Service>;
  readonly ssm: (region: string) => Promise<Service>;
  readonly sts: (region: string) => Promise<Service>;
}

type AnyClient = EC2Client | PricingClient | CostExplorerClient | SSMClient | STSClient;

/** One service in one region, by the names of its actions. */
export interface Service {
  readonly region: string;
  readonly send: (action: string, input: object, signal: AbortSignal) => Promise<object>;
}

// Their only homes in the partition that has the most regions; both tell of all regions.
const PRICING_REGION = "us-east-1";
const COST_REGION = "us-east-1";

export function awsSdk(config: SdkConfig): Sdk {
  const services = new Map<string, Promise<Service>>();
  const client = (name: string, region: string, load: () => Promise<LoadedModule>) => {
    const id = `${name} ${region}`;
    let service = services.get(id);
    if (service === undefined) {
      service = load().then((module) => serviceOf(module, name, region, config));
      services.set(id, service);
      // A module or a credential that failed to load may load the next time.
      service.catch(() => services.delete(id));
    }
    return service;
  };
  return {
    ec2: (region) => client("EC2Client", region, () => import("@aws-sdk/client-ec2")),
    pricing: () => client("PricingClient", PRICING_REGION, () => import("@aws-sdk/client-pricing")),
    costExplorer: () => client("CostExplorerClient", COST_REGION, () => import("@aws-sdk/client-cost-explorer")),
    ssm: (region) => client("SSMClient", region, () => import("@aws-sdk/client-ssm")),
    sts: (region) => client("STSClient", region, () => import("@aws-sdk/client-sts")),
  };
}

type LoadedModule = object;
type ClientClass = new (config: object) => AnyClient;
type CommandClass = new (input: object) => object;

async function serviceOf(module: LoadedModule, name: string, region: string, config: SdkConfig): Promise<Service> {
  const { endpoint, credentials, requestHandler } = config;
  // The SDK's modules name their classes so.
  const Client = Reflect.get(module, name) as ClientClass;
  const client = new Client({
    region,
    requestHandler,
    // Retries are the client's own: the SDK sends three times what was refused for want of capacity.
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    customUserAgent: `slipway-provider-aws/${VERSION}`,
    userAgentAppId: undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: signingKeys(credentials) }),
  });
  // Before any time limit begins to count: profiles and roles may take a while.
  await (client.config as { readonly credentials: () => Promise<unknown> }).credentials();
  return {
    region,
    send: (action, input, abortSignal) => {
      const Command = Reflect.get(module, `${action}Command`) as CommandClass;
      const send = client.send.bind(client) as (command: object, options: object) => Promise<object>;
      return send(new Command(input), { abortSignal });
    },
  };
}

function signingKeys({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials): object {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
