import { deleteDisk, insertDisk, listAllDisks, listDisks, readDisk } from "./disks.ts";
import { readGuestAttributes } from "./guest-attributes.ts";
import type { Handler } from "./handler.ts";
import { deleteImage, insertImage, listImages, readGlobalOperation, readImage } from "./images.ts";
import { deleteInstance, insertInstance, listAllInstances, listInstances, readInstance } from "./instances.ts";
import {
  capacityHistory,
  listOperations,
  listRegions,
  listZones,
  readOperation,
  readZone,
  waitForOperation,
} from "./operations.ts";
import { listMachineTypes, listSkus } from "./prices.ts";
import { resumeInstance, suspendInstance } from "./suspend.ts";

export interface Route {
  /** The name of the request on the wire; faults may stand at it. */
  readonly operation: string;
  /** The method of the contract whose own request this is, where there is one. */
  readonly serves?: string;
  /** Whose budget it draws on. */
  readonly group: "read" | "list" | "write" | "operation";
  readonly method: string;
  /** Below the project, with the groups `zone`, `region` and `name`. */
  readonly path: RegExp;
  readonly handler: Handler;
}

const ZONE = "zones/(?<zone>[^/]+)";
const NAME = "(?<name>[^/]+)";

function route(
  operation: string,
  serves: string | undefined,
  group: Route["group"],
  [method, path]: readonly [string, string],
  handler: Handler,
): Route {
  return {
    operation,
    ...(serves === undefined ? {} : { serves }),
    group,
    method,
    path: new RegExp(`^${path}$`),
    handler,
  };
}

export const ROUTES: readonly Route[] = [
  route("instances.aggregatedList", "list", "list", ["GET", "aggregated/instances"], listAllInstances),
  route("instances.list", "list", "list", ["GET", `${ZONE}/instances`], listInstances),
  route("instances.insert", "spawn", "write", ["POST", `${ZONE}/instances`], insertInstance),
  route("instances.get", "get", "read", ["GET", `${ZONE}/instances/${NAME}`], readInstance),
  route(
    "instances.getGuestAttributes",
    "readBootstrap",
    "read",
    ["GET", `${ZONE}/instances/${NAME}/getGuestAttributes`],
    readGuestAttributes,
  ),
  route("instances.suspend", "hibernate", "write", ["POST", `${ZONE}/instances/${NAME}/suspend`], suspendInstance),
  route("instances.resume", "resume", "write", ["POST", `${ZONE}/instances/${NAME}/resume`], resumeInstance),
  route("instances.delete", "terminate", "write", ["DELETE", `${ZONE}/instances/${NAME}`], deleteInstance),
  route("zoneOperations.list", undefined, "list", ["GET", `${ZONE}/operations`], listOperations),
  route("zoneOperations.get", undefined, "operation", ["GET", `${ZONE}/operations/${NAME}`], readOperation),
  route("zoneOperations.wait", undefined, "operation", ["POST", `${ZONE}/operations/${NAME}/wait`], waitForOperation),
  route("zones.list", "onStartup", "list", ["GET", "zones"], listZones),
  route("disks.list", "listVolumes", "list", ["GET", `${ZONE}/disks`], listDisks),
  route("disks.insert", "createVolume", "write", ["POST", `${ZONE}/disks`], insertDisk),
  route("disks.get", undefined, "read", ["GET", `${ZONE}/disks/${NAME}`], readDisk),
  route("disks.delete", "deleteVolume", "write", ["DELETE", `${ZONE}/disks/${NAME}`], deleteDisk),
  route("disks.aggregatedList", "listVolumes", "list", ["GET", "aggregated/disks"], listAllDisks),
  route("machineTypes.list", "listOfferings", "list", ["GET", `${ZONE}/machineTypes`], listMachineTypes),
  // Of the Cloud Billing API, beside the project.
  route("services.skus.list", undefined, "list", ["GET", `services/${NAME}/skus`], listSkus),
  route("machineImages.list", "listSnapshots", "list", ["GET", "global/machineImages"], listImages),
  route("machineImages.insert", "createSnapshot", "write", ["POST", "global/machineImages"], insertImage),
  route("machineImages.get", undefined, "read", ["GET", `global/machineImages/${NAME}`], readImage),
  route("machineImages.delete", "deleteSnapshot", "write", ["DELETE", `global/machineImages/${NAME}`], deleteImage),
  route("globalOperations.get", undefined, "operation", ["GET", `global/operations/${NAME}`], readGlobalOperation),
  route("regions.list", undefined, "list", ["GET", "regions"], listRegions),
  route("zones.get", undefined, "read", ["GET", `zones/${NAME}`], readZone),
  route(
    "advice.capacityHistory",
    "getSpotPrices",
    "read",
    ["POST", "regions/(?<region>[^/]+)/advice/capacityHistory"],
    capacityHistory,
  ),
];
