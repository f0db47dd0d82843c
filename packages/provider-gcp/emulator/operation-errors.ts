import type { OperationError } from "./world.ts";

const UNAVAILABLE = { httpStatus: 503, httpMessage: "SERVICE UNAVAILABLE" };
const FORBIDDEN = { httpStatus: 403, httpMessage: "FORBIDDEN" };
const BAD_REQUEST = { httpStatus: 400, httpMessage: "BAD REQUEST" };
const NOT_FOUND = { httpStatus: 404, httpMessage: "NOT FOUND" };
const CONFLICT = { httpStatus: 409, httpMessage: "CONFLICT" };

function poolExhausted(zone: string): string {
  return `The zone 'projects/slipway/zones/${zone}' does not have enough resources available to fulfill the request.`;
}

/** What an operation ends with, by the ids of the provider's error table. */
const ROWS: Readonly<Record<string, (zone: string) => OperationError>> = {
  "op-quota": (zone) => quota(zone.slice(0, zone.lastIndexOf("-")), 24),
  "op-ip-space": () => ({
    code: "IP_SPACE_EXHAUSTED",
    message: "IP space of the subnetwork is exhausted.",
    ...UNAVAILABLE,
  }),
  "op-preempted": () => ({ code: "PREEMPTED", message: "Instance failed to start due to preemption.", ...BAD_REQUEST }),
  "op-preempted-at-start": () => ({
    code: "UNSUPPORTED_OPERATION",
    message: "The instance was preempted while it started.",
    ...BAD_REQUEST,
  }),
  "op-stockout": (zone) => stockout(zone, "e2-medium"),
  "op-stockout-details": (zone) => ({
    code: "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    message: `${poolExhausted(zone)} '(resource type:compute)'.`,
    ...UNAVAILABLE,
  }),
  "op-capacity": () => ({ code: "INSUFFICIENT_CAPACITY", message: "There is no capacity.", ...UNAVAILABLE }),
  "op-reservation": () => ({
    code: "INVALID_USAGE",
    message: "Specified reservation 'r' does not have available resources for the request.",
    ...BAD_REQUEST,
  }),
  "op-exists": () => alreadyExists("projects/slipway/zones/z/instances/i"),
  "op-not-found": () => ({
    code: "RESOURCE_NOT_FOUND",
    message: "The resource 'projects/slipway/global/images/i' was not found",
    ...NOT_FOUND,
  }),
  "op-external-not-found": () => ({
    code: "EXTERNAL_RESOURCE_NOT_FOUND",
    message: "The resource '1@example.iam' of type 'serviceAccount' was not found.",
    ...NOT_FOUND,
  }),
  "op-not-ready": () => ({
    code: "RESOURCE_NOT_READY",
    message: "The resource 'projects/slipway/global/networks/n' is not ready",
    ...BAD_REQUEST,
  }),
  "op-in-use": () => ({
    code: "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
    message: "The disk resource is already being used.",
    ...BAD_REQUEST,
  }),
  "op-policy": () => ({
    code: "CONDITION_NOT_MET",
    message: "Constraint constraints/compute.vmExternalIpAccess violated.",
    httpStatus: 412,
    httpMessage: "PRECONDITION FAILED",
  }),
  "op-permission": () => ({
    code: "PERMISSIONS_ERROR",
    message: "Required 'compute.subnetworks.use' permission.",
    ...FORBIDDEN,
  }),
  "op-deleted-meanwhile": () => deletedMeanwhile("i"),
  "op-unsupported": () => ({
    code: "UNSUPPORTED_OPERATION",
    message: "The operation is not supported here.",
    ...BAD_REQUEST,
  }),
  "op-invalid": () => ({
    code: "INVALID_FIELD_VALUE",
    message: "Invalid value for field 'resource.disks'.",
    ...BAD_REQUEST,
  }),
  "op-internal": () => ({ code: "INTERNAL_ERROR", message: "Internal error. Please try again.", ...UNAVAILABLE }),
};

export function quota(region: string, limit: number): OperationError {
  return {
    code: "QUOTA_EXCEEDED",
    message: `Quota 'INSTANCES' exceeded.  Limit: ${limit}.0 in region ${region}.`,
    ...FORBIDDEN,
    details: [
      {
        quotaInfo: {
          metricName: "compute.googleapis.com/instances",
          limitName: "INSTANCES-per-project-region",
          dimensions: { region },
          limit,
        },
      },
    ],
  };
}

export function stockout(zone: string, type: string): OperationError {
  return {
    code: "ZONE_RESOURCE_POOL_EXHAUSTED",
    message: `${poolExhausted(zone)} Try a different zone, or try again later.`,
    ...UNAVAILABLE,
    details: [
      {
        errorInfo: {
          reason: "resource_availability",
          domain: "compute.googleapis.com",
          metadatas: { vmType: type, zone, attachment: "", zonesAvailable: "" },
        },
      },
    ],
  };
}

export function alreadyExists(path: string): OperationError {
  return { code: "RESOURCE_ALREADY_EXISTS", message: `The resource '${path}' already exists`, ...CONFLICT };
}

export function deletedMeanwhile(name: string): OperationError {
  return { code: "CONFLICT", message: `The instance '${name}' was deleted while it was made.`, ...CONFLICT };
}

/** What a fault names; undefined for a row that is no operation's. */
export function operationErrorOf(row: string, zone: string): OperationError | undefined {
  return ROWS[row]?.(zone);
}
