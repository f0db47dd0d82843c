import { z } from "zod";
import { type ActionTable, action, type Call, filled, filters, list, moment, paging } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { EMULATED_TYPES, isOffered, typeOf } from "./catalogue.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, SPOT_REQUEST } from "./found.ts";
import { time } from "./instance-view.ts";
import { paged } from "./paging.ts";
import { spotPriceOf } from "./spot-price.ts";
import { tagSet } from "./tagging.ts";
import type { SpotRequest } from "./things.ts";
import { beginEnd, turnInstance } from "./transitions.ts";
import { allAt } from "./world.ts";

const describe = z.strictObject({
  SpotInstanceRequestId: list(filled).optional(),
  Filter: filters.optional(),
  ...paging,
});
const cancel = z.strictObject({ SpotInstanceRequestId: list(filled) });
const history = z.strictObject({
  InstanceType: list(filled).optional(),
  ProductDescription: list(filled).optional(),
  AvailabilityZone: filled.optional(),
  StartTime: moment.optional(),
  EndTime: moment.optional(),
  Filter: filters.optional(),
  ...paging,
});

const FILTERS: FilterTable<SpotRequest> = {
  "spot-instance-request-id": ({ id }) => [id],
  state: ({ state }) => [state],
  "status-code": ({ status }) => [status.code],
  "instance-id": ({ instanceId }) => [instanceId ?? undefined],
  type: ({ persistent }) => [persistent ? "persistent" : "one-time"],
  "launched-availability-zone": ({ zone }) => [zone],
};

export const spotActions: ActionTable = {
  DescribeSpotInstanceRequests: action(
    describe,
    ({ region, seenAt }, { SpotInstanceRequestId: ids, Filter, ...page }) => {
      const all =
        ids === undefined ? allAt(region.spotRequests, seenAt) : found(SPOT_REQUEST, region.spotRequests, ids, seenAt);
      const { items, nextToken } = paged("DescribeSpotInstanceRequests", filtered(all, Filter, FILTERS), page);
      return { spotInstanceRequestSet: items.map(requestFields), nextToken };
    },
  ),
  CancelSpotInstanceRequests: action(cancel, (call, { SpotInstanceRequestId: ids }) => {
    const all = found(SPOT_REQUEST, call.region.spotRequests, ids, call.now);
    for (const one of all) cancelRequest(call, one);
    call.world.changes += 1;
    const state = (id: string): string => call.region.spotRequests.get(id)?.at(call.now)?.state ?? "cancelled";
    return { spotInstanceRequestSet: all.map(({ id }) => ({ spotInstanceRequestId: id, state: state(id) })) };
  }),
  DescribeSpotPriceHistory: action(history, ({ region, now }, request) => {
    const { InstanceType, AvailabilityZone, ProductDescription, Filter, StartTime, EndTime = now, ...page } = request;
    if (StartTime !== undefined && StartTime > EndTime) {
      refuse("InvalidParameterValue", "The start time must not be after the end time.");
    }
    for (const name of InstanceType ?? []) {
      if (typeOf(name) === undefined) refuse("InvalidParameterValue", `Invalid value '${name}' for InstanceType.`);
    }
    const linux = ProductDescription?.some((one) => one.startsWith("Linux/UNIX")) !== false;
    const all = EMULATED_TYPES.filter(({ name }) => linux && InstanceType?.includes(name) !== false).flatMap((type) =>
      region.zones
        .filter((zone) => isOffered(type, zone) && (AvailabilityZone ?? zone) === zone)
        .map((zone) => ({ name: type.name, zone, tags: {} })),
    );
    const passing = filtered(all, Filter, {
      "instance-type": ({ name }) => [name],
      "availability-zone": ({ zone }) => [zone],
      "product-description": () => ["Linux/UNIX"],
    });
    const { items, nextToken } = paged("DescribeSpotPriceHistory", passing, page, 1);
    const spotPriceHistorySet = items.map(({ name, zone }) => ({
      instanceType: name,
      productDescription: "Linux/UNIX",
      spotPrice: spotPriceOf(region, zone, name).toFixed(6),
      timestamp: time(Math.floor(Math.min(now, EndTime) / 3_600_000) * 3_600_000),
      availabilityZone: zone,
    }));
    return { spotPriceHistorySet, nextToken };
  }),
};

/** The instance runs on, unless it is stopped: nothing could start it again. */
function cancelRequest(call: Call, { id, instanceId, state }: SpotRequest): void {
  if (state === "cancelled" || state === "closed") return;
  const instance = call.region.instances.get(instanceId ?? "")?.at(call.now);
  const running = instance?.state === "running" || instance?.state === "pending";
  const status = running
    ? {
        code: "request-canceled-and-instance-running",
        message: "Your Spot request is canceled, but your instance is still running.",
      }
    : { code: "instance-terminated-by-user", message: "Spot Instance terminated due to user-initiated termination." };
  call.region.spotRequests.get(id)?.amend(call.now, (one) => ({ ...one, state: "cancelled", status }));
  if (instance?.state === "stopped") turnInstance(call, instance.id, beginEnd(call, instance));
}

function requestFields(one: SpotRequest): XmlFields {
  return {
    spotInstanceRequestId: one.id,
    spotPrice: one.maxPrice,
    type: one.persistent ? "persistent" : "one-time",
    state: one.state,
    status: { code: one.status.code, message: one.status.message, updateTime: time(one.createdAt) },
    instanceId: one.instanceId,
    createTime: time(one.createdAt),
    launchedAvailabilityZone: one.zone,
    launchSpecification: { instanceType: one.type },
    productDescription: "Linux/UNIX",
    instanceInterruptionBehavior: "terminate",
    tagSet: tagSet(one.tags),
  };
}
