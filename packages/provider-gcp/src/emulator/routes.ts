import { listAllDisks } from "./disks.ts";
import type { Handler } from "./handler.ts";
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
  route("instances.delete", "terminate", "write", ["DELETE", `${ZONE}/instances/${NAME}`], deleteInstance),
  route("zoneOperations.list", undefined, "list", ["GET", `${ZONE}/operations`], listOperations),
  route("zoneOperations.get", undefined, "operation", ["GET", `${ZONE}/operations/${NAME}`], readOperation),
  route("zoneOperations.wait", undefined, "operation", ["POST", `${ZONE}/operations/${NAME}/wait`], waitForOperation),
  route("zones.list", "onStartup", "list", ["GET", "zones"], listZones),
  route("disks.aggregatedList", undefined, "list", ["GET", "aggregated/disks"], listAllDisks),
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
