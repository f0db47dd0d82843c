import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { aws } from "@slipway/provider-aws";
import { EMULATED_IMAGES, EMULATOR_CREDENTIALS, serve } from "@slipway/provider-aws/emulator";
import type { Suite } from "./report.ts";

const REGION = "us-east-1";
const PER_LAUNCH = 500;
// So many times as fast as real time: the emulator's limits too, so that both contenders meet the same.
const SPEED = 1;

interface Outcome {
  readonly name: string;
  readonly ms: number;
  readonly calls: number;
  readonly throttled: number;
  readonly failed: number;
}

/** So many reads of single instances at once, through the provider and through the plain SDK, on EC2's own limits. */
export async function awsGets(quick: boolean): Promise<Suite> {
  const count = quick ? 200 : 1_000;
  const outcomes = [
    await measured("@slipway/provider-aws", count, ours),
    await measured("@aws-sdk/client-ec2", count, theirs),
  ];
  return {
    title: `${count} reads of single instances at once, on the emulator's published limits`,
    unit: "ms",
    rows: outcomes.map(({ name, ms }) => ({ name, median: ms })),
    aims: [],
    notes: outcomes.map(
      ({ name, calls, throttled, failed }) =>
        `${name}: ${calls} requests, ${throttled} throttled, ${failed} callers failed`,
    ),
  };
}

type Read = (id: string) => Promise<unknown>;
type MakeRead = (endpoint: string) => { readonly read: Read; readonly close: () => void };

const ours: MakeRead = (endpoint) => {
  const provider = aws({ owner: "bench", regions: [REGION], credentials: EMULATOR_CREDENTIALS, endpoint });
  return { read: (id) => provider.get(`${REGION}/${id}`), close: () => undefined };
};

const theirs: MakeRead = (endpoint) => {
  const client = new EC2Client({ region: REGION, credentials: EMULATOR_CREDENTIALS, endpoint });
  return {
    read: (id) => client.send(new DescribeInstancesCommand({ InstanceIds: [id] })),
    close: () => client.destroy(),
  };
};

/** Each contender has an emulator of its own, with its buckets full. */
async function measured(name: string, count: number, make: MakeRead): Promise<Outcome> {
  const server = await serve({ speed: SPEED });
  const { read, close } = make(server.baseUrl);
  try {
    const ids = await launched(server.baseUrl, count);
    await read(ids[0] ?? "");
    const { requests } = server.emulator.control;
    const before = requests.length;
    const begun = performance.now();
    const outcomes = await Promise.allSettled(ids.map(read));
    const ms = performance.now() - begun;
    const made = requests.slice(before);
    return {
      name,
      ms,
      calls: made.length,
      throttled: made.filter(({ code }) => code === "RequestLimitExceeded").length,
      failed: outcomes.filter(({ status }) => status === "rejected").length,
    };
  } finally {
    close();
    await server.close();
  }
}

async function launched(endpoint: string, count: number): Promise<readonly string[]> {
  const client = new EC2Client({ region: REGION, credentials: EMULATOR_CREDENTIALS, endpoint });
  const ids: string[] = [];
  while (ids.length < count) {
    const many = Math.min(PER_LAUNCH, count - ids.length);
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({
        MinCount: many,
        MaxCount: many,
        ImageId: EMULATED_IMAGES[0]?.id,
        InstanceType: "t3.micro",
      }),
    );
    ids.push(...Instances.flatMap(({ InstanceId }) => (InstanceId === undefined ? [] : [InstanceId])));
  }
  client.destroy();
  return ids;
}
