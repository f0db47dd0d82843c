import type { WireRequest } from "./wire-request.ts";

// Which method of the contract makes which request, so that faults can stand at methods. Where several share an action,
// what is asked for tells them apart.
const BY_ACTION: Readonly<Record<string, readonly string[]>> = {
  RunInstances: ["spawn", "requestSpotInstance"],
  TerminateInstances: ["terminate"],
  CreateImage: ["createSnapshot"],
  DeregisterImage: ["deleteSnapshot"],
  DescribeImages: ["listSnapshots", "getSnapshotStatus"],
  CreateVolume: ["createVolume", "warmVolume"],
  DeleteVolume: ["deleteVolume"],
  DescribeVolumes: ["listVolumes"],
  AttachVolume: ["claimWarmVolume"],
  DetachVolume: ["releaseWarmVolume"],
  StopInstances: ["hibernate"],
  StartInstances: ["resume"],
  CancelSpotInstanceRequests: ["cancelSpotRequest"],
  DescribeSpotPriceHistory: ["getSpotPrices"],
  GetCostAndUsage: ["getCosts"],
  GetCostAndUsageWithResources: ["getCosts"],
  GetCallerIdentity: ["onStartup"],
};

const OWNER_TAG = "slipway:owner";

/** The names by which faults may call a request: the methods that make it, and the action itself. */
export function namesOf({ action, parameters }: Pick<WireRequest, "action" | "parameters">): readonly string[] {
  return [...methodsOf(action, parameters), action];
}

function methodsOf(action: string, parameters: unknown): readonly string[] {
  if (action !== "DescribeInstances") return Object.hasOwn(BY_ACTION, action) ? (BY_ACTION[action] ?? []) : [];
  if (idsOf(parameters).length > 0) return ["get"];
  const asked = filterNames(parameters);
  if (asked.some(({ name }) => name === "tag:Name")) return [];
  const isList = asked.some(
    ({ name, first }) => name === `tag:${OWNER_TAG}` || (name === "tag-key" && first === OWNER_TAG),
  );
  return isList ? ["list"] : [];
}

/** The ids of instances that a request names. */
export function idsOf(parameters: unknown): readonly string[] {
  return branches(parameters, "InstanceId").flatMap((id) => (typeof id === "string" ? [id] : []));
}

function filterNames(parameters: unknown): readonly { readonly name: string; readonly first: string }[] {
  return branches(parameters, "Filter").map((filter) => {
    const [name, first] = [field(filter, "Name"), branches(filter, "Value")[0]];
    return { name: typeof name === "string" ? name : "", first: typeof first === "string" ? first : "" };
  });
}

export function isWholeList(parameters: unknown): boolean {
  if (typeof parameters !== "object" || parameters === null) return true;
  return !["Filter", "MaxResults", "NextToken"].some((name) => name in parameters) && !hasIds(parameters);
}

function hasIds(parameters: object): boolean {
  return Object.keys(parameters).some((name) => name.endsWith("Id"));
}

function branches(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  return typeof found === "object" && found !== null ? Object.values(found) : found === undefined ? [] : [found];
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
