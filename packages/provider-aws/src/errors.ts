import { type ErrorCode, type ErrorEffect, type ErrorScope, isProviderError, type Operation } from "@slipway/core";
import { CODE_MEANINGS } from "./error-codes.ts";

/** What one answer of AWS means. `effect` is of a write. */
export interface AwsMeaning {
  readonly code: ErrorCode;
  readonly effect: ErrorEffect;
  readonly scope?: ErrorScope | undefined;
  readonly hint?: string | undefined;
}

interface NetRow {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
}

// For codes that AWS adds later. First match.
const NET: readonly NetRow[] = [
  { pattern: /^(Insufficient.*Capacity.*|Unfulfillable.*)$/, code: "CAPACITY_ERROR" },
  { pattern: /^(Request|Bandwidth)LimitExceeded$|Throttl/, code: "RATE_LIMIT_ERROR" },
  { pattern: /(NotFound(Exception)?|\.Unknown)$/, code: "NOT_FOUND" },
  { pattern: /(Duplicate|AlreadyExists(Exception)?|Already\w+)$/, code: "CONFLICT" },
  { pattern: /^Incorrect|(InUse(Exception)?|InvalidState)$/, code: "INVALID_STATE" },
  { pattern: /(LimitExceeded(Exception)?|CountExceeded|CountLimitExceeded)$/, code: "QUOTA_EXCEEDED" },
  { pattern: /^(Access|Auth|Unauthorized|ExpiredToken)/, code: "AUTH_ERROR" },
  { pattern: /(Malformed(Exception)?|\.Format)$/, code: "INVALID_SPEC" },
  { pattern: /^(Invalid|Missing|Unknown|Unsupported)/, code: "INVALID_SPEC" },
];

interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly code: ErrorCode;
}

const STATUSES: readonly StatusRow[] = [
  { from: 401, to: 401, code: "AUTH_ERROR" },
  { from: 429, to: 429, code: "RATE_LIMIT_ERROR" },
  { from: 500, to: 599, code: "UNAVAILABLE" },
];

/** What AWS means by its code, message and status; undefined for an answer that is not AWS's own. */
export function meaningOf(
  native: string,
  message: string,
  status: number | undefined,
  operation: Operation,
): AwsMeaning | undefined {
  const row = rowOf(native, message);
  const net = NET.find(({ pattern }) => pattern.test(native));
  const byStatus = STATUSES.find(({ from, to }) => status !== undefined && status >= from && status <= to);
  const meaning = row ?? net ?? byStatus;
  if (meaning === undefined) return undefined;
  const { code } = meaning;
  const effect = row?.effect ?? (code === "UNAVAILABLE" ? "unknown" : "none");
  // A launch that names what is not there is a wrong launch.
  if (code === "NOT_FOUND" && LAUNCHING.includes(operation)) return { code: "INVALID_SPEC", effect };
  return { code, effect, scope: row?.scope, hint: row?.hint };
}

/** `Client.` and `Server.` stand before codes in states and logs, and never on the wire. */
export function bareCode(code: string): string {
  return code.replace(/^(Client|Server)\./, "");
}

/** AWS's own code in an error of ours; empty if there is none. */
export function nativeCodeOf(error: unknown): string {
  return isProviderError(error) ? (error.native?.code ?? "") : "";
}

/** What `work` resolves with; null where AWS refuses it by one of these codes. */
export async function nullIfRefused<T>(codes: RegExp, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (codes.test(nativeCodeOf(error))) return null;
    throw error;
  }
}

/** What AWS says by one of its codes, and what the user gets. */
export interface AwsErrorRow {
  /** AWS's own code, without `Client.` or `Server.`; where a message tells two meanings apart, the rarer one has a suffix. */
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  readonly native: string;
  /** A word of the message that tells it from the row without it. */
  readonly says?: RegExp;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly hint?: string;
}

type Detail = Partial<Pick<AwsErrorRow, "code" | "scope" | "effect" | "hint">>;

const CLOCK: Detail = { hint: "Check the clock of this machine." };

/** What the code alone does not tell: what to vary next, and what to do. */
const DETAILS: Readonly<Record<string, Detail>> = {
  AuthFailure: { hint: "Check the access key and the clock of this machine." },
  "AuthFailure.ServiceLinkedRoleCreationNotPermitted": {
    scope: "capacity-type",
    hint: "Run once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
  },
  UnauthorizedOperation: {
    hint: "The policy lacks the action that the message names; ec2:CreateTags and iam:PassRole are forgotten most often.",
  },
  CredentialsProviderError: {
    hint: "Give credentials, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login.",
  },
  TokenProviderError: { hint: "Run aws sso login." },
  ExpiredToken: { hint: "The session's credentials have run out: make new ones." },
  ExpiredTokenException: { hint: "The session's credentials have run out: make new ones." },
  RequestExpired: CLOCK,
  RequestInTheFuture: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  "InvalidSecurity.RequestHasExpired": CLOCK,
  OptInRequired: { scope: "region", hint: "Enable the region, or accept the image's terms in the Marketplace." },
  // The message tells a place from a configuration that is wrong everywhere only now and then: other places are tried.
  Unsupported: { scope: "placement", hint: "Another zone may support it; where none does, the request is wrong." },
  PendingVerification: { hint: "AWS checks the account first: that takes minutes to hours." },
  InsufficientFreeAddressesInSubnet: { scope: "subnet", hint: "Another subnet of the zone may have addresses left." },
  InsufficientAddressCapacity: { scope: "region" },
  SpotMaxPriceTooLow: { hint: "Leave spot.maxUsdPerHour out: EC2's own ceiling is the on-demand price." },
  MaxSpotInstanceCountExceeded: {
    scope: "capacity-type",
    hint: "The quota of spot vCPUs is used up; the same machine may start on demand. Raise it in Service Quotas.",
  },
  VcpuLimitExceeded: {
    scope: "region",
    hint: "Raise the family's vCPU quota in Service Quotas. EC2 counts instances for a while after their end.",
  },
  InstanceLimitExceeded: { scope: "region" },
  VolumeLimitExceeded: { scope: "region" },
  SnapshotLimitExceeded: { scope: "region" },
  AddressLimitExceeded: { scope: "region" },
  SecurityGroupLimitExceeded: {
    scope: "region",
    hint: "slipway aws cleanup deletes those of Slipway's that nothing uses.",
  },
  InvalidInstanceType: { hint: "slipway prices aws lists the machine types." },
  DefaultVpcDoesNotExist: { hint: 'Name a subnet: network: { subnet: "subnet-…" }.' },
  VPCIdNotSpecified: { hint: 'Name a subnet: network: { subnet: "subnet-…" }.' },
  OperationNotPermitted: { hint: "The instance is protected against termination or stopping: take that away first." },
};

const ASIDE: readonly AwsErrorRow[] = [
  {
    id: "Unsupported/zone",
    operation: "spawn",
    native: "Unsupported",
    says: /not supported in your requested Availability Zone|currently has constraints/i,
    code: "CAPACITY_ERROR",
    effect: "none",
    hint: "This zone does not have the machine type: use another.",
  },
  {
    id: "OptInRequired/image",
    operation: "spawn",
    native: "OptInRequired",
    says: /accept(ed)? (the )?terms|subscri|marketplace/i,
    code: "AUTH_ERROR",
    scope: "request",
    effect: "none",
    hint: "Accept the image's terms in the AWS Marketplace, or name another image.",
  },
  {
    id: "InsufficientInstanceCapacity/spread",
    operation: "spawn",
    native: "InsufficientInstanceCapacity",
    says: /spread placement group/i,
    code: "INVALID_SPEC",
    effect: "none",
  },
  ...["InvalidSignatureException", "SignatureDoesNotMatch"].map(
    (native): AwsErrorRow => ({
      id: `${native}/clock`,
      operation: "spawn",
      native,
      says: /Signature (expired|not yet current)/i,
      code: "AUTH_ERROR",
      effect: "none",
      ...CLOCK,
    }),
  ),
  {
    id: "AuthFailure/image",
    operation: "spawn",
    native: "AuthFailure",
    says: /Not authorized for images/i,
    code: "INVALID_SPEC",
    effect: "none",
    hint: "The image is private, or its terms were not accepted.",
  },
];

// What a missing thing means depends on whether a launch names it.
const LAUNCHING: readonly string[] = ["spawn", "requestSpotInstance"];

/** Every row, those with a message or an operation of their own first: the first that fits counts. */
export const awsErrorTable: readonly AwsErrorRow[] = [
  ...ASIDE,
  ...[...CODE_MEANINGS].map(([native, code]): AwsErrorRow => {
    const detail = Object.hasOwn(DETAILS, native) ? DETAILS[native] : undefined;
    return {
      id: native,
      operation: code === "NOT_FOUND" ? "listVolumes" : "spawn",
      native,
      code,
      effect: code === "UNAVAILABLE" ? "unknown" : "none",
      ...detail,
    };
  }),
];

const BY_NATIVE: ReadonlyMap<string, readonly AwsErrorRow[]> = Map.groupBy(awsErrorTable, ({ native }) => native);

/** The row for what AWS said; undefined for a code that is not known by name. */
function rowOf(native: string, message: string): AwsErrorRow | undefined {
  return BY_NATIVE.get(native)?.find(({ says }) => says?.test(message) ?? true);
}

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
 * What EC2's reason for an instance's end means; undefined where somebody asked for it, or EC2 gives no reason.
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
