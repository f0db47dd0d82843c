import type { CreateFleetCommandOutput, RunInstancesCommandOutput } from "@aws-sdk/client-ec2";
import type { Outcome } from "./outcome.ts";
import type { Pool } from "./pool.ts";
import { name, type Side } from "./side.ts";

type Made = readonly { readonly kind: string; readonly id: string | undefined }[];

// Each reads the answer of its own call.
const MADE: Readonly<Record<string, (answer: never) => Made>> = {
  RunInstances: ({ Instances = [] }: RunInstancesCommandOutput) =>
    Instances.flatMap((one) => [
      { kind: "instance", id: one.InstanceId },
      ...(one.SpotInstanceRequestId === undefined ? [] : [{ kind: "spot request", id: one.SpotInstanceRequestId }]),
    ]),
  CreateFleet: ({ Instances = [] }: CreateFleetCommandOutput) =>
    Instances.flatMap(({ InstanceIds = [] }) => InstanceIds.map((id) => ({ kind: "instance", id }))),
  CreateImage: ({ ImageId }: { ImageId?: string }) => [{ kind: "image copy", id: ImageId }],
  CreateVolume: ({ VolumeId }: { VolumeId?: string }) => [{ kind: "volume", id: VolumeId }],
  CreateSecurityGroup: ({ GroupId }: { GroupId?: string }) => [{ kind: "group", id: GroupId }],
  CreateLaunchTemplate: ({ LaunchTemplate }: { LaunchTemplate?: { LaunchTemplateId?: string } }) => [
    { kind: "template", id: LaunchTemplate?.LaunchTemplateId },
  ],
};

/** Gives what a step made on both sides a name that both share. */
export function nameNew(
  pool: Pool,
  call: string,
  here: { side: Side; outcome: Outcome },
  there: { side: Side; outcome: Outcome },
): void {
  const made = MADE[call];
  if (made === undefined || here.outcome.error !== null || there.outcome.error !== null) return;
  const [mine, theirs] = [made(here.outcome.whole as never), made(there.outcome.whole as never)];
  for (const kind of new Set(mine.map((one) => one.kind))) {
    const others = theirs.filter((one) => one.kind === kind);
    for (const [at, { id }] of mine.filter((one) => one.kind === kind).entries()) {
      const other = others[at]?.id;
      // What a token answered again has its name already.
      if (id === undefined || other === undefined || here.side.names.has(id)) continue;
      const names = pool.made.get(kind) ?? [];
      const shared = `${kind} ${names.length}`;
      pool.made.set(kind, [...names, shared]);
      name(here.side, shared, id);
      name(there.side, shared, other);
    }
  }
}
