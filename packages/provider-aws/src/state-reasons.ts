import type { ErrorCode } from "@slipway/core";
import { bareCode } from "./errors.ts";

// Why EC2 ended or stopped an instance by itself. What the user or the guest did is none of these.
const REASONS: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["InsufficientInstanceCapacity", "CAPACITY_ERROR"],
  ["SpotInstanceTermination", "SPOT_INTERRUPTED"],
  ["SpotInstanceShutdown", "SPOT_INTERRUPTED"],
  ["VolumeLimitExceeded", "QUOTA_EXCEEDED"],
  ["InvalidSnapshot.NotFound", "INVALID_SPEC"],
  ["InternalError", "INTERNAL"],
  // A launch that EC2 takes and ends at once: nearly always the key that its disks are encrypted with may not be used.
  ["Client.InternalError", "AUTH_ERROR"],
]);

// A spot request's own words for the same.
const SPOT_STATUSES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["capacity-not-available", "CAPACITY_ERROR"],
  ["capacity-oversubscribed", "CAPACITY_ERROR"],
  ["price-too-low", "CAPACITY_ERROR"],
  ["placement-group-constraint", "CAPACITY_ERROR"],
  ["az-group-constraint", "CAPACITY_ERROR"],
  ["launch-group-constraint", "CAPACITY_ERROR"],
  ["constraint-not-fulfillable", "CAPACITY_ERROR"],
  ["limit-exceeded", "QUOTA_EXCEEDED"],
  ["bad-parameters", "INVALID_SPEC"],
  ["schedule-expired", "INVALID_SPEC"],
  ["system-error", "UNAVAILABLE"],
  ["instance-terminated-by-price", "SPOT_INTERRUPTED"],
  ["instance-terminated-no-capacity", "SPOT_INTERRUPTED"],
  ["instance-terminated-by-schedule", "SPOT_INTERRUPTED"],
  ["instance-terminated-by-service", "SPOT_INTERRUPTED"],
  ["instance-terminated-launch-group-constraint", "SPOT_INTERRUPTED"],
  ["instance-stopped-by-price", "SPOT_INTERRUPTED"],
  ["instance-stopped-no-capacity", "SPOT_INTERRUPTED"],
  ["marked-for-termination", "SPOT_INTERRUPTED"],
  ["marked-for-stop", "SPOT_INTERRUPTED"],
]);

/**
 * What EC2's reason for an instance's end means; undefined where somebody wanted it, or EC2 tells nothing.
 *
 * @example
 * ```ts
 * codeOfReason({ Code: "Server.InsufficientInstanceCapacity" }); // => "CAPACITY_ERROR"
 * ```
 */
export function codeOfReason(reason: {
  readonly Code?: string | undefined;
  readonly Message?: string | undefined;
}): ErrorCode | undefined {
  // EC2 is known to write one code and to begin the message with the true one.
  const [, inMessage] = /^((?:Client|Server)\.[\w.]+):/.exec(reason.Message ?? "") ?? [];
  return meaningIn(inMessage ?? "") ?? meaningIn(reason.Code ?? "");
}

function meaningIn(code: string): ErrorCode | undefined {
  return REASONS.get(code) ?? REASONS.get(bareCode(code));
}

/**
 * What the status of a spot request means; undefined for what goes well or was wanted.
 *
 * @example
 * ```ts
 * codeOfSpotStatus("capacity-not-available"); // => "CAPACITY_ERROR"
 * ```
 */
export function codeOfSpotStatus(status: string): ErrorCode | undefined {
  return SPOT_STATUSES.get(status);
}
