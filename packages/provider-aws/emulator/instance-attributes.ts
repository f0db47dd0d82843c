import { z } from "zod";
import { type ActionTable, action, filled, filters, flag, list, paging, text } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { filtered } from "./filters.ts";
import { found, INSTANCE, oneFound } from "./found.ts";
import { stateFields, time } from "./instance-view.ts";
import { paged } from "./paging.ts";
import type { Instance } from "./things.ts";
import { patchInstance } from "./transitions.ts";
import { allAt } from "./world.ts";

const ATTRIBUTES: Readonly<Record<string, (one: Instance) => XmlFields>> = {
  userData: ({ userData }) => ({ userData: { value: userData } }),
  instanceType: ({ type }) => ({ instanceType: { value: type } }),
  disableApiTermination: (one) => ({ disableApiTermination: { value: one.protected } }),
  rootDeviceName: ({ rootDeviceName }) => ({ rootDeviceName: { value: rootDeviceName } }),
  instanceInitiatedShutdownBehavior: (one) => ({ instanceInitiatedShutdownBehavior: { value: one.shutdownBehaviour } }),
  groupSet: ({ groupIds }) => ({ groupSet: groupIds.map((groupId) => ({ groupId })) }),
};

const describeAttribute = z.strictObject({ InstanceId: filled, Attribute: filled });
const modify = z.strictObject({
  InstanceId: filled,
  DisableApiTermination: z.strictObject({ Value: flag }).optional(),
  UserData: z.strictObject({ Value: text }).optional(),
  GroupId: list(filled).optional(),
});
const describeStatus = z.strictObject({
  InstanceId: list(filled).optional(),
  IncludeAllInstances: flag.optional(),
  Filter: filters.optional(),
  ...paging,
});
const consoleOutput = z.strictObject({ InstanceId: filled, Latest: flag.optional() });

export const instanceAttributeActions: ActionTable = {
  DescribeInstanceAttribute: action(describeAttribute, ({ region, now }, { InstanceId, Attribute }) => {
    const one = oneFound(INSTANCE, region.instances, InstanceId, now);
    const shown = Object.hasOwn(ATTRIBUTES, Attribute) ? ATTRIBUTES[Attribute] : undefined;
    if (shown === undefined) {
      return refuse(
        "InvalidParameterValue",
        `Value (${Attribute}) for parameter attribute is invalid. Unknown attribute.`,
      );
    }
    return { instanceId: InstanceId, ...shown(one) };
  }),
  ModifyInstanceAttribute: action(modify, (call, { InstanceId, DisableApiTermination, UserData, GroupId }) => {
    const one = oneFound(INSTANCE, call.region.instances, InstanceId, call.now);
    if (UserData !== undefined && one.state !== "stopped") {
      refuse("IncorrectInstanceState", `The instance '${InstanceId}' is not in the 'stopped' state.`);
    }
    patchInstance(call, InstanceId, {
      ...(DisableApiTermination === undefined ? {} : { protected: DisableApiTermination.Value }),
      ...(UserData === undefined ? {} : { userData: UserData.Value }),
      ...(GroupId === undefined ? {} : { groupIds: GroupId }),
    });
    return { return: true };
  }),
  DescribeInstanceStatus: action(describeStatus, ({ region, seenAt }, request) => {
    const all =
      request.InstanceId === undefined
        ? allAt(region.instances, seenAt)
        : found(INSTANCE, region.instances, request.InstanceId, seenAt);
    const shown = all.filter(({ state }) => request.IncludeAllInstances === true || state === "running");
    const passing = filtered(shown, request.Filter, {
      "instance-state-name": ({ state }) => [state],
      "availability-zone": ({ zone }) => [zone],
    });
    const { items, nextToken } = paged("DescribeInstanceStatus", passing, request);
    return { instanceStatusSet: items.map(statusFields), nextToken };
  }),
  GetConsoleOutput: action(consoleOutput, ({ world, region, now }, { InstanceId }) => {
    const one = oneFound(INSTANCE, region.instances, InstanceId, now);
    const printed = world.settings.machines?.console(one.id) ?? "";
    const text = `Linux boots on ${one.id}\r\n${printed}`;
    const output = one.state === "pending" ? "" : Buffer.from(text).toString("base64");
    return { instanceId: one.id, timestamp: time(now), output };
  }),
};

function statusFields({ id, zone, state }: Instance): XmlFields {
  const status = state === "running" ? "ok" : "not-applicable";
  return {
    instanceId: id,
    availabilityZone: zone,
    instanceState: stateFields(state),
    systemStatus: { status },
    instanceStatus: { status },
  };
}
