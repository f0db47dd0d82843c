import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  type EC2Client,
  type Instance,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import type { Harness, HarnessFactory } from "@slipway/contract-tests";
import { type Clock, type Runtime, timestamp } from "@slipway/core";
import { scaledClock } from "@slipway/provider-kit/emulator";
import manifest from "../../package.json" with { type: "json" };
import { aws, register } from "../../src/index.ts";
import { bridged } from "./bridges.ts";
import { withClientTokens } from "./client-tokens.ts";
import { IMAGE_PARAMETER } from "./differential/side.ts";
import { MOTO_CREDENTIALS, motoClients, resetMoto } from "./moto-clients.ts";

const OWNER = "contract-tests";
const REGIONS: readonly string[] = ["us-east-1", "us-west-2"];
// What the provider waits for between two looks has happened on moto by the next one.
const SPEED = 8;
const [HOME = "us-east-1"] = REGIONS;

/** The provider over moto, emptied for every case, its clock a good deal faster than the real one. */
export function motoHarness(endpoint: string): HarnessFactory {
  return async (): Promise<Harness> => {
    await resetMoto(endpoint);
    const transcript: string[] = [];
    const config = { credentials: MOTO_CREDENTIALS, endpoint, regions: REGIONS, readAfterWriteMs: 500, share: 1 };
    const clock = scaledClock(SPEED);
    const runtime = runtimeOf(clock, transcript);
    const clients = REGIONS.map((region) => motoClients(endpoint, region).ec2);
    const [home] = clients;
    if (home === undefined) throw new Error("no region");
    return {
      registration: await register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ spec: "t3.micro" }),
      capabilityOptions: {
        gpu: { spec: "g4dn.xlarge", gpu: { type: "t4", count: 1 } },
        spot: { spot: {} },
        hibernation: { hibernation: true },
        customNetworking: { network: { isolated: true } },
      },
      another: async ({ owner = OWNER } = {}) => aws({ ...config, owner, runtime }),
      inspector: {
        instances: async () => (await instancesOf(clients)).map(inspected),
        volumes: () => everywhere(clients, volumesOf),
        snapshots: () => everywhere(clients, snapshotsOf),
        addUnmanaged: (name) => addUnmanaged(endpoint, home, name),
        hasUnmanaged: async (nativeId) => {
          const all = await instancesOf([home]);
          return all.some(({ InstanceId, State }) => InstanceId === nativeId && State?.Name === "running");
        },
        crash: async (nativeId) => {
          await home.send(new TerminateInstancesCommand({ InstanceIds: [bare(nativeId)] }));
        },
      },
      clock,
      unknownId: `${HOME}/i-0123456789abcdef0`,
      secrets: [MOTO_CREDENTIALS.secretAccessKey],
      transcript: () => transcript.join("\n"),
      patienceMs: 60_000,
      caseTimeoutMs: 60_000,
      package: { manifest, register, config, badConfigs: [{ regions: [] }] },
      close: async () => undefined,
    };
  };
}

function runtimeOf(clock: Clock, transcript: string[]): Partial<Runtime> {
  const note = (level: string) => (message: string, data?: object) => {
    transcript.push(`${timestamp(clock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
  };
  return {
    clock,
    fetch: withClientTokens(bridged(globalThis.fetch, clock)),
    onEvent: (event: object) => note("event")("", event),
    log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
  };
}

async function instancesOf(clients: readonly EC2Client[]): Promise<readonly Instance[]> {
  const answers = await Promise.all(
    clients.map((client) => client.send(new DescribeInstancesCommand({ MaxResults: 1_000 }))),
  );
  return answers.flatMap(({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances));
}

function inspected({
  InstanceId = "",
  Tags = [],
  State,
}: Instance): Awaited<ReturnType<Harness["inspector"]["instances"]>>[number] {
  // By the tags on the wire, not through the provider's own reading of them.
  const tag = (name: string): string | null => Tags.find(({ Key }) => Key === name)?.Value ?? null;
  const live = State?.Name !== "terminated" && State?.Name !== "shutting-down";
  return { nativeId: InstanceId, owner: tag("slipway:owner"), key: tag("slipway:key"), live };
}

async function everywhere(
  clients: readonly EC2Client[],
  look: (client: EC2Client) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  return (await Promise.all(clients.map(look))).flat();
}

async function volumesOf(client: EC2Client): Promise<readonly string[]> {
  const { Volumes = [] } = await client.send(
    new DescribeVolumesCommand({ Filters: [{ Name: "tag-key", Values: ["slipway:owner"] }] }),
  );
  return Volumes.map(({ VolumeId = "" }) => VolumeId);
}

async function snapshotsOf(client: EC2Client): Promise<readonly string[]> {
  const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners: ["self"] }));
  const { Snapshots = [] } = await client.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  // Those of moto's own images are there from the beginning.
  const made = Snapshots.filter(({ Description = "" }) => Description.startsWith("Created by CreateImage("));
  return [...Images.map(({ ImageId = "" }) => ImageId), ...made.map(({ SnapshotId = "" }) => SnapshotId)];
}

async function addUnmanaged(endpoint: string, client: EC2Client, name = "made-by-hand"): Promise<string> {
  const { Parameter } = await motoClients(endpoint, HOME).ssm.send(new GetParameterCommand({ Name: IMAGE_PARAMETER }));
  const Tags = [{ Key: "Name", Value: name }];
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({
      ImageId: Parameter?.Value,
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags }],
    }),
  );
  return Instances[0]?.InstanceId ?? "";
}

function bare(nativeId: string): string {
  return nativeId.slice(nativeId.indexOf("/") + 1);
}
