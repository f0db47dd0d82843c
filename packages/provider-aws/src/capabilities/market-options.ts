import type { RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import type { SpotOptions } from "@slipway/core";
import { refusal } from "../call.ts";

/**
 * The part of RunInstances that asks for interruptible capacity. One-time and terminated when interrupted: a persistent
 * request would launch again what somebody ended, and nobody would know of it. Without a price of the caller's none is
 * sent: EC2's own ceiling is the on-demand price, and a lower one only interrupts sooner.
 */
export function marketOptions(
  operation: string,
  { spot, maxUsdPerHour }: { readonly spot?: SpotOptions | undefined; readonly maxUsdPerHour?: number | undefined },
): Pick<RunInstancesCommandInput, "InstanceMarketOptions"> {
  if (spot === undefined) return {};
  const ceilings = [spot.maxUsdPerHour, maxUsdPerHour].filter((usd) => usd !== undefined);
  return {
    InstanceMarketOptions: {
      MarketType: "spot",
      SpotOptions: {
        SpotInstanceType: "one-time",
        InstanceInterruptionBehavior: "terminate",
        ...(ceilings.length === 0 ? {} : { MaxPrice: maxPrice(operation, Math.min(...ceilings)) }),
      },
    },
  };
}

/** A price as EC2 reads it: plain decimals, never `1e-7`. */
function maxPrice(operation: string, usdPerHour: number): string {
  if (Number.isFinite(usdPerHour) && usdPerHour >= 0.001) return usdPerHour.toFixed(6).replace(/0+$/, "");
  throw refusal("INVALID_SPEC", operation, "spot.maxUsdPerHour must be at least 0.001: EC2 takes no lower price");
}
