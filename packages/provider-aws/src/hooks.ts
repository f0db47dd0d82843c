import { isProviderError } from "@slipway/core";
import type { HookParts } from "@slipway/provider-kit/driver";
import { refusal } from "./call.ts";
import { refreshPrices } from "./capabilities/prices.ts";
import type { AwsContext, Call } from "./context.ts";
import { codeOfReason, nativeCodeOf } from "./errors.ts";
import type { AWSInstance } from "./instance.ts";

/** What the kit's own hooks do not know of EC2: why instances ended, and what its price list says. */
export function awsHooks(context: AwsContext): HookParts<AWSInstance> {
  return {
    startup: (call) => checkAccount(context, call),
    tasks: () => ({
      health_check: async (call) => {
        const ended = await context.lifeCycle().list({ status: ["terminated", "stopped"] }, call, call.operation);
        const codes = ended.map(({ statusReason }) =>
          statusReason === undefined
            ? undefined
            : codeOfReason({ Code: statusReason.code, Message: statusReason.message }),
        );
        return {
          interrupted: codes.filter((code) => code === "SPOT_INTERRUPTED").length,
          failed: codes.filter((code) => code !== undefined && code !== "SPOT_INTERRUPTED").length,
        };
      },
      refresh_prices: async (call) => ({ prices: await refreshPrices(context, call) }),
    }),
  };
}

/** Who we are, whether the regions are open to us, and whether we may do what nothing works without. */
async function checkAccount(context: AwsContext, call: Call): Promise<void> {
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
