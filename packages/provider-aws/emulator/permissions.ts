import { z } from "zod";
import { filled, list, text, whole } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import type { Permission } from "./things.ts";

/** One rule of a security group, as requests write it. */
export interface PermissionRequest {
  readonly IpProtocol: string;
  readonly FromPort?: number | undefined;
  readonly ToPort?: number | undefined;
  readonly IpRanges?: readonly { readonly CidrIp: string; readonly Description?: string | undefined }[] | undefined;
  readonly Ipv6Ranges?: readonly { readonly CidrIpv6: string; readonly Description?: string | undefined }[] | undefined;
  readonly Groups?: readonly { readonly GroupId?: string | undefined }[] | undefined;
}

export const permissions: z.ZodType<readonly PermissionRequest[]> = list(
  z.strictObject({
    IpProtocol: filled,
    FromPort: whole.optional(),
    ToPort: whole.optional(),
    IpRanges: list(z.strictObject({ CidrIp: filled, Description: text.optional() })).optional(),
    Ipv6Ranges: list(z.strictObject({ CidrIpv6: filled, Description: text.optional() })).optional(),
    Groups: list(z.strictObject({ GroupId: filled.optional(), UserId: filled.optional() })).optional(),
  }),
);

const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
const CIDR6 = /^[0-9a-f:]+\/\d{1,3}$/i;
const PROTOCOLS: Readonly<Record<string, string>> = { "6": "tcp", "17": "udp", "1": "icmp" };

/** The rules of a request, each with one source: that is how EC2 compares them. */
export function readPermissions(given: readonly PermissionRequest[]): readonly Permission[] {
  return given.flatMap((request) => {
    const protocol = PROTOCOLS[request.IpProtocol] ?? request.IpProtocol.toLowerCase();
    const all = protocol === "-1";
    const { FromPort, ToPort } = request;
    if (!all && (FromPort === undefined || ToPort === undefined)) {
      refuse("MissingParameter", "The request must contain the parameter fromPort and toPort");
    }
    if (!all && ((FromPort ?? 0) > (ToPort ?? 0) || (ToPort ?? 0) > 65_535 || (FromPort ?? 0) < -1)) {
      refuse("InvalidParameterValue", `Invalid value for portRange: ${FromPort}-${ToPort}.`);
    }
    const base = { protocol, from: all ? null : (FromPort ?? null), to: all ? null : (ToPort ?? null) };
    const none = { cidrs: [], cidrs6: [], groups: [] };
    const single = [
      ...(request.IpRanges ?? []).map(({ CidrIp }) => ({ ...base, ...none, cidrs: [cidr(CidrIp, CIDR)] })),
      ...(request.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => ({ ...base, ...none, cidrs6: [cidr(CidrIpv6, CIDR6)] })),
      ...(request.Groups ?? []).map(({ GroupId = "" }) => ({ ...base, ...none, groups: [GroupId] })),
    ];
    if (single.length === 0) refuse("MissingParameter", "Source group ID, CIDR block or prefix list missing");
    return single;
  });
}

function cidr(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) refuse("InvalidParameterValue", `CIDR block ${text} is malformed`);
  return text;
}

/** Rules as sets of single ones, so that they can be compared. */
export function single(rules: readonly Permission[]): readonly Permission[] {
  return rules.flatMap(({ protocol, from, to, cidrs, cidrs6, groups }) => {
    const base = { protocol, from, to, cidrs: [], cidrs6: [], groups: [] };
    return [
      ...cidrs.map((one) => ({ ...base, cidrs: [one] })),
      ...cidrs6.map((one) => ({ ...base, cidrs6: [one] })),
      ...groups.map((one) => ({ ...base, groups: [one] })),
    ];
  });
}

export function sameRule(a: Permission, b: Permission): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function ruleText({ protocol, from, to, cidrs, cidrs6, groups }: Permission): string {
  return `peer: ${[...cidrs, ...cidrs6, ...groups].join(", ")}, ${protocol.toUpperCase()}, from port: ${from}, to port: ${to}, ALLOW`;
}

/** As describes show them: the sources of one range of ports together. */
export function permissionFields(rules: readonly Permission[], account: string): readonly XmlFields[] {
  const ranges = new Map<string, Permission>();
  for (const rule of rules) {
    const name = `${rule.protocol} ${rule.from} ${rule.to}`;
    const before = ranges.get(name);
    ranges.set(name, {
      ...rule,
      cidrs: [...(before?.cidrs ?? []), ...rule.cidrs],
      cidrs6: [...(before?.cidrs6 ?? []), ...rule.cidrs6],
      groups: [...(before?.groups ?? []), ...rule.groups],
    });
  }
  return [...ranges.values()].map(({ protocol, from, to, cidrs, cidrs6, groups }) => ({
    ipProtocol: protocol,
    fromPort: from,
    toPort: to,
    groups: groups.map((groupId) => ({ userId: account, groupId })),
    ipRanges: cidrs.map((cidrIp) => ({ cidrIp })),
    ipv6Ranges: cidrs6.map((cidrIpv6) => ({ cidrIpv6 })),
    prefixListIds: [],
  }));
}
