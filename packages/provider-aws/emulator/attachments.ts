import { z } from "zod";
import { type ActionTable, action, type Call, filled, flag } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { INSTANCE, oneFound, VOLUME } from "./found.ts";
import type { Attachment, BlockDevice, Instance, Volume } from "./things.ts";
import { patchInstance } from "./transitions.ts";
import { attachmentFields } from "./volumes.ts";

const attach = z.strictObject({ VolumeId: filled, InstanceId: filled, Device: filled });
const detach = z.strictObject({
  VolumeId: filled,
  InstanceId: filled.optional(),
  Device: filled.optional(),
  Force: flag.optional(),
});

// What an instance takes besides its network, as the current families do.
const MOST_VOLUMES = 27;
const DEVICE = /^(\/dev\/(sd[a-z]\d{0,2}|xvd[a-z]{1,2}\d{0,2})|xvd[a-z]{1,2})$/;

export const attachmentActions: ActionTable = {
  AttachVolume: action(attach, attachVolume),
  DetachVolume: action(detach, detachVolume),
};

const FREE = { state: "available", attachment: null } as const;

/** The compare-and-set of EC2's volumes: of any number who attach one, one succeeds. */
function attachVolume(call: Call, { VolumeId, InstanceId, Device }: z.infer<typeof attach>): XmlFields {
  const { region, world, now } = call;
  const volume = oneFound(VOLUME, region.volumes, VolumeId, now);
  const instance = oneFound(INSTANCE, region.instances, InstanceId, now);
  checkAttach(volume, instance, Device);
  const attachment: Attachment = {
    instanceId: InstanceId,
    device: Device,
    status: "attaching",
    deleteOnTermination: false,
    at: now,
  };
  const line = region.instances.get(InstanceId);
  // The instance may be bound to end, as in a spot instance's last minutes: then the volume comes free.
  const endsAt = line?.whenNext(now, ({ state }) => state === "terminated") ?? null;
  const attachMs = Math.min(world.settings.attachMs, endsAt === null ? Infinity : endsAt - now);
  region.volumes
    .get(VolumeId)
    ?.turn(
      now,
      { inMs: 0, patch: (one) => ({ ...one, state: "in-use", attachment }) },
      { inMs: attachMs, patch: (one) => ({ ...one, attachment: { ...attachment, status: "attached" } }) },
      ...(endsAt === null ? [] : [{ inMs: endsAt - now, patch: (one: Volume) => ({ ...one, ...FREE }) }]),
    );
  const device: BlockDevice = { device: Device, volumeId: VolumeId, deleteOnTermination: false, attachedAt: now };
  line?.amend(now, (one) => (one.state === "terminated" ? one : { ...one, devices: [...one.devices, device] }));
  world.changes += 1;
  return attachmentFields(oneFound(VOLUME, region.volumes, VolumeId, now));
}

function checkAttach(volume: Volume, instance: Instance, device: string): void {
  if (volume.zone !== instance.zone) {
    refuse(
      "InvalidVolume.ZoneMismatch",
      `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
    );
  }
  if (volume.state === "in-use") refuse("VolumeInUse", `${volume.id} is already attached to an instance`);
  if (volume.state !== "available") {
    refuse("IncorrectState", `The volume '${volume.id}' is not 'available'.`);
  }
  if (instance.state !== "running" && instance.state !== "stopped") {
    refuse("IncorrectState", `Instance '${instance.id}' is not 'running'.`);
  }
  if (!DEVICE.test(device)) {
    refuse(
      "InvalidParameterValue",
      `Value (${device}) for parameter device is invalid. ${device} is not a valid EBS device name.`,
    );
  }
  if (instance.devices.some((one) => one.device === device)) {
    refuse(
      "InvalidParameterValue",
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
  }
  if (instance.devices.length >= MOST_VOLUMES) {
    refuse("AttachmentLimitExceeded", `The instance '${instance.id}' has as many volumes as its type takes.`);
  }
}

function detachVolume(call: Call, { VolumeId, InstanceId, Device }: z.infer<typeof detach>): XmlFields {
  const { region, world, now } = call;
  const volume = oneFound(VOLUME, region.volumes, VolumeId, now);
  const { attachment } = volume;
  if (attachment === null) return refuse("IncorrectState", `Volume '${VolumeId}' is in the 'available' state.`);
  const fits =
    (InstanceId ?? attachment.instanceId) === attachment.instanceId &&
    (Device ?? attachment.device) === attachment.device;
  if (!fits)
    refuse(
      "InvalidAttachment.NotFound",
      `The volume '${VolumeId}' is not attached to instance '${InstanceId}' as ${Device}.`,
    );
  const instance = region.instances.get(attachment.instanceId)?.at(now);
  if (instance?.rootDeviceName === attachment.device && instance.state !== "stopped") {
    refuse(
      "OperationNotPermitted",
      `Unable to detach root volume '${VolumeId}' from instance '${attachment.instanceId}'`,
    );
  }
  region.volumes
    .get(VolumeId)
    ?.turn(
      now,
      { inMs: 0, patch: (one) => ({ ...one, attachment: { ...attachment, status: "detaching" } }) },
      { inMs: world.settings.attachMs, patch: (one) => ({ ...one, state: "available", attachment: null }) },
    );
  if (instance) {
    patchInstance(call, instance.id, { devices: instance.devices.filter((one) => one.volumeId !== VolumeId) });
  }
  return attachmentFields(oneFound(VOLUME, region.volumes, VolumeId, now));
}
