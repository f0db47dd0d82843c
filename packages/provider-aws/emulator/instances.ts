import { z } from "zod";
import { type ActionTable, action, type Call, filled, filters, list, paging } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, INSTANCE } from "./found.ts";
import { instanceFields, shownPublicIp, stateCode } from "./instance-view.ts";
import { launch } from "./launch.ts";
import { checkCounts, checkedMachine, placeOf } from "./launch-checks.ts";
import { type LaunchRequest, launchRequest } from "./launch-request.ts";
import { templateFor } from "./launch-templates.ts";
import { paged } from "./paging.ts";
import type { Instance } from "./things.ts";
import { withToken } from "./tokens.ts";
import { allAt } from "./world.ts";

const FILTERS: FilterTable<Instance> = {
  "instance-id": ({ id }) => [id],
  "instance-state-name": ({ state }) => [state],
  "instance-state-code": ({ state }) => [String(stateCode(state))],
  "instance-type": ({ type }) => [type],
  "instance-lifecycle": ({ market }) => (market === "spot" ? ["spot"] : []),
  "spot-instance-request-id": ({ spotRequestId }) => [spotRequestId ?? undefined],
  "client-token": ({ clientToken }) => [clientToken],
  "availability-zone": ({ zone }) => [zone],
  "image-id": ({ imageId }) => [imageId],
  "subnet-id": ({ subnetId }) => [subnetId],
  "vpc-id": ({ vpcId }) => [vpcId],
  "reservation-id": ({ reservationId }) => [reservationId],
  "instance.group-id": ({ groupIds }) => groupIds,
  "network-interface.group-id": ({ groupIds }) => groupIds,
  "block-device-mapping.volume-id": ({ devices }) => devices.map(({ volumeId }) => volumeId),
  "key-name": ({ keyName }) => [keyName ?? undefined],
  "private-ip-address": ({ privateIp }) => [privateIp],
  "ip-address": (one) => [shownPublicIp(one) ?? undefined],
  "state-reason-code": ({ reason }) => [reason?.code],
  architecture: ({ architecture }) => [architecture],
  "hibernation-options.configured": ({ hibernation }) => [String(hibernation)],
  "launch-time": ({ launchedAt }) => [new Date(launchedAt).toISOString()],
};

const describe = z.strictObject({
  InstanceId: list(filled).optional(),
  Filter: filters.optional(),
  IncludeManagedResources: filled.optional(),
  ...paging,
});

export const instanceActions: ActionTable = {
  RunInstances: action(launchRequest, runInstances, { checksDryRun: true }),
  DescribeInstances: action(describe, ({ region, world, seenAt, now }, { InstanceId, Filter, ...page }) => {
    if (InstanceId !== undefined && page.MaxResults !== undefined) {
      refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults");
    }
    const all =
      InstanceId === undefined
        ? allAt(region.instances, seenAt)
        : found(INSTANCE, region.instances, InstanceId, seenAt);
    for (const one of all) checkReachable(region.impaired, one.zone);
    if (InstanceId === undefined) for (const zone of region.impaired) checkReachable(region.impaired, zone);
    const { items, nextToken } = paged("DescribeInstances", filtered(all, Filter, FILTERS), page);
    const shown = items.map((one) => reservationFields(world.settings.account, one.reservationId, [one], region, now));
    return { reservationSet: shown, nextToken };
  }),
};

/** The control plane of a zone may be out of order, and answers that need it with it. */
export function checkReachable(impaired: ReadonlySet<string>, zone: string): void {
  if (impaired.has(zone)) refuse("InternalError", `An internal error has occurred: ${zone} is impaired`);
}

function reservationFields(
  account: string,
  reservationId: string,
  instances: readonly Instance[],
  region: Call["region"],
  moment: number,
): XmlFields {
  const instancesSet = instances.map((one) => instanceFields(one, region, account, moment));
  return { reservationId, ownerId: account, groupSet: [], instancesSet };
}

function runInstances(call: Call, given: LaunchRequest): XmlFields {
  checkCounts(given);
  const { region, world, now } = call;
  const { request, templateId } = templateFor(call, given);
  const machine = checkedMachine(call, request);
  const place = placeOf(call, request);
  if (place.zone !== undefined) checkReachable(region.impaired, place.zone);
  call.endDryRun();
  const clientToken = request.ClientToken ?? "";
  const { ids, replayed } = withToken(call, `RunInstances ${place.zone ?? "anywhere"}`, clientToken, () =>
    launch(call, machine, { min: request.MinCount, max: request.MaxCount, ...place, clientToken, templateId }).map(
      ({ id }) => id,
    ),
  );
  const instances = ids.flatMap((id) => region.instances.get(id)?.at(now) ?? []);
  const isGone = instances.every(({ state }) => state === "terminated" || state === "shutting-down");
  if (replayed && isGone) {
    refuse(
      "IdempotentInstanceTerminated",
      "The client token you have provided is associated with an instance that has been terminated.",
    );
  }
  return reservationFields(world.settings.account, instances[0]?.reservationId ?? "", instances, region, now);
}
