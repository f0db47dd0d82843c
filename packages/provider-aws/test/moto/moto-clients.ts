import { EC2Client } from "@aws-sdk/client-ec2";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";

export interface Clients {
  readonly ec2: EC2Client;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
}

export const MOTO_CREDENTIALS = { accessKeyId: "AKIAMOTOMOTOMOTOMOTO", secretAccessKey: "moto-secret-access-key" };

/** AWS's own clients, which ask once, against moto. */
export function motoClients(endpoint: string, region = "us-east-1"): Clients {
  // The SDK writes into the object that it is given.
  const settings = { endpoint, region, credentials: { ...MOTO_CREDENTIALS }, maxAttempts: 1 };
  return { ec2: new EC2Client(settings), ssm: new SSMClient(settings), sts: new STSClient(settings) };
}

/** Nothing is left but what a new account has. */
export async function resetMoto(endpoint: string): Promise<void> {
  const response = await fetch(`${endpoint}/moto-api/reset`, { method: "POST", signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`moto was not reset: ${response.status}`);
  await response.arrayBuffer();
}
