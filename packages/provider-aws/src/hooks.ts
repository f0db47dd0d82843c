import { type HeartbeatTask, isProviderError, type ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import { PROVIDER, refusal } from "./call.ts";
import { refreshPrices } from "./capabilities/prices.ts";
import type { AwsContext, Call } from "./context.ts";
import { codeOfReason, nativeCodeOf } from "./errors.ts";
import type { AWSInstance } from "./instance.ts";
import { listInstances } from "./lookup.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: AwsContext): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => {
    const ended = await all(context, call, ["terminated", "stopped"]);
    const codes = ended.map(({ statusReason }) =>
      statusReason === undefined ? undefined : codeOfReason({ Code: statusReason.code, Message: statusReason.message }),
    );
    return {
      interrupted: codes.filter((code) => code === "SPOT_INTERRUPTED").length,
      failed: codes.filter((code) => code !== undefined && code !== "SPOT_INTERRUPTED").length,
    };
  },
  reconcile: async (call) => {
    const counts: Record<string, number> = {};
    for (const { status } of await all(context, call)) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  },
  orphan_scan: async (call) => {
    const tagged = await all(context, call, undefined, "*");
    const mine = tagged.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: tagged.length - mine.length, expired: expired.length };
  },
  refresh_prices: async (call) => ({ prices: await refreshPrices(context, call) }),
});

function all(
  context: AwsContext,
  { operation, signal }: Call,
  status?: readonly AWSInstance["status"][],
  owner?: string,
): Promise<readonly AWSInstance[]> {
  const filter = { ...(status === undefined ? {} : { status }), ...(owner === undefined ? {} : { owner }) };
  return listInstances(context, filter, { operation, signal });
}

export function awsHooks(context: AwsContext): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    onStartup: () => checkAccount(context),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}

/** Who we are, whether the regions are open to us, and whether we may do what nothing works without. */
async function checkAccount(context: AwsContext): Promise<void> {
  const call: Call = { operation: "onStartup" };
  const [home] = context.regions;
  await context.client.sts(call, home, "GetCallerIdentity", {});
  await checkRegions(context, call, home);
  for (const region of context.regions) await checkPermissions(context, call, region);
}

async function checkRegions(context: AwsContext, call: Call, home: string): Promise<void> {
  const { Regions = [] } = await context.client.send(call, home, "DescribeRegions", { AllRegions: true });
  const open = new Set(
    Regions.filter(({ OptInStatus }) => OptInStatus !== "not-opted-in").map(({ RegionName }) => RegionName),
  );
  const closed = context.regions.filter((region) => !open.has(region));
  if (closed.length === 0) return;
  throw refusal("AUTH_ERROR", call.operation, `the account has no access to ${closed.join(", ")}`, {
    scope: "region",
    hint: "Enable the region in the account's settings, or take it out of regions.",
  });
}

/** By dry runs: EC2 says whether it would do it, and does not. */
async function checkPermissions(context: AwsContext, call: Call, region: string): Promise<void> {
  const { client } = context;
  const dry = { DryRun: true } as const;
  const unknown = "i-00000000000000000";
  const probes: readonly (readonly [action: string, probe: () => Promise<unknown>])[] = [
    ["ec2:DescribeInstances", () => client.send(call, region, "DescribeInstances", { ...dry, MaxResults: 5 })],
    [
      "ec2:RunInstances",
      () => client.send(call, region, "RunInstances", { ...dry, MinCount: 1, MaxCount: 1, ImageId: "ami-00000000" }),
    ],
    [
      "ec2:TerminateInstances",
      () => client.send(call, region, "TerminateInstances", { ...dry, InstanceIds: [unknown] }),
    ],
  ];
  const missing: string[] = [];
  for (const [action, probe] of probes) {
    if (await isDenied(probe)) missing.push(action);
  }
  if (missing.length === 0) return;
  throw refusal("AUTH_ERROR", call.operation, `the credentials lack ${missing.join(", ")} in ${region}`, {
    hint: "The README has the policy that this package needs.",
  });
}

/** What EC2 says of the parameters matters not here: it says that only to those who may ask. */
async function isDenied(probe: () => Promise<unknown>): Promise<boolean> {
  try {
    await probe();
    return false;
  } catch (error) {
    if (/^(UnauthorizedOperation|AccessDenied)/.test(nativeCodeOf(error))) return true;
    if (isProviderError(error, "AUTH_ERROR", "NETWORK", "TIMEOUT", "UNAVAILABLE", "CANCELLED")) throw error;
    return false;
  }
}
