import type { Call } from "@slipway/provider-kit/driver";
import type { RunpodContext } from "./context.ts";
import { refusal } from "./errors.ts";
import type { RunpodSpawnOptions } from "./request.ts";
import type { Cloud, CreateBody } from "./wire.ts";

/** How a network volume is mounted, and where that puts the pod. */
export interface VolumeMountPlan {
  readonly mounts: NonNullable<CreateBody["mounts"]>;
  readonly place: { readonly region: string; readonly cloud: Cloud };
}

/** Null where no volume is asked for. Throws INVALID_SPEC for what RunPod cannot mount. */
export async function mountFor(
  context: RunpodContext,
  call: Call,
  { volumes = [], region, cloud }: RunpodSpawnOptions,
): Promise<VolumeMountPlan | null> {
  const [wanted, ...others] = volumes;
  if (wanted === undefined) return null;
  const wrong = (message: string): Error => refusal("INVALID_SPEC", call.operation, message);
  if (others.length > 0) throw wrong("volumes names several, and a pod mounts one network volume");
  const clouds = cloud === undefined ? context.clouds : [cloud];
  if (!clouds.includes("SECURE")) throw wrong("volumes: network volumes are in the Secure Cloud alone");
  const volume = (await context.client.volumes(call)).find(({ id }) => id === wanted.id);
  if (volume === undefined) throw wrong(`volumes: there is no network volume ${JSON.stringify(wanted.id)}`);
  const { dataCenter } = volume;
  if (dataCenter === undefined) throw wrong(`volumes: RunPod does not tell where ${wanted.id} is`);
  if (region !== undefined && region !== dataCenter) {
    throw wrong(`region is ${region}, and the volume ${wanted.id} is in ${dataCenter}`);
  }
  if (context.dataCenters?.includes(dataCenter) === false)
    throw wrong(`volumes: region "${dataCenter}" is not configured`);
  return {
    mounts: { network: [{ volumeId: wanted.id, path: wanted.mountPath }] },
    place: { region: dataCenter, cloud: "SECURE" },
  };
}
