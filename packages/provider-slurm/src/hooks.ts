import type { Call, HookParts } from "@slipway/provider-kit/driver";
import type { SlurmInstance } from "./instance.ts";
import { refusal, type SlurmRemote } from "./remote.ts";

const OLDEST = [22, 5] as const;

export function slurmHooks(remote: SlurmRemote): HookParts<SlurmInstance> {
  return {
    startup: async (call) => {
      await health(remote, call);
    },
    tasks: ({ scan }) => ({
      health_check: (call) => health(remote, call),
      // A held job is what a spawn left that was cut off; the next spawn of its key completes or cancels it.
      orphan_scan: async (call) => {
        const { mine, ...counts } = await scan(call);
        return { ...counts, held: mine.filter(({ statusReason }) => statusReason?.code === "JobHeldUser").length };
      },
      refresh_prices: async () => ({ known: false }),
    }),
  };
}

/** Controller, munge, version and partition; the rest of a spawn's needs is the site's policy. */
async function health({ client, config: { partition } }: SlurmRemote, call: Call) {
  await client.ping(call);
  const { version, hasAccounting } = await client.cluster(call);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw refusal("UNSUPPORTED", call.operation, `Slurm ${version} is too old: 22.05 or newer is needed`);
  }
  if (partition !== undefined && !(await client.partitions(call)).includes(partition)) {
    throw refusal("INVALID_SPEC", call.operation, `the cluster has no partition ${partition}`, {
      hint: "See `sinfo -s` for the partitions.",
    });
  }
  return { version, accounting: hasAccounting };
}
