import { followTurn } from "./machines.ts";
import type { Instance, Reason } from "./things.ts";
import type { Region, World } from "./world.ts";

/** What changes an instance: time, and where it is. */
export interface Scene {
  readonly world: World;
  readonly region: Region;
  readonly now: number;
}

/** What becomes of an instance from now on, in order. */
export type Turn = readonly { readonly inMs: number; readonly patch: Partial<Instance> }[];

export function turnInstance({ world, region, now }: Scene, id: string, turn: Turn): void {
  const steps = turn.map(({ inMs, patch }) => ({ inMs, patch: (one: Instance) => ({ ...one, ...patch }) }));
  const line = region.instances.get(id);
  line?.turn(now, ...steps);
  const { forgottenAfterMs } = world.settings;
  const last = turn.at(-1);
  if (last?.patch.state === "terminated") {
    line?.turn(now, ...steps, { inMs: last.inMs + forgottenAfterMs, patch: () => null });
  }
  world.changes += 1;
  followTurn({ world, region, now }, id, turn);
}

export function patchInstance({ world, region, now }: Scene, id: string, patch: Partial<Instance>): void {
  region.instances.get(id)?.amend(now, (one) => ({ ...one, ...patch }));
  world.changes += 1;
}

/** A machine that ends by itself, or did not start. */
export const LAUNCH_FAILED: Reason = {
  code: "Server.InternalError",
  message: "Server.InternalError: Internal error on launch",
};

const BY_USER: Reason = {
  code: "Client.UserInitiatedShutdown",
  message: "Client.UserInitiatedShutdown: User initiated shutdown",
};

interface Ending {
  /** The caller wants it, if absent. */
  readonly reason?: Reason;
  readonly afterMs?: number;
  readonly takesMs?: number;
}

/** An instance ends: now it shuts down, later it is terminated, and its volumes go or come free. Nothing if it ends already. */
export function beginEnd(scene: Scene, one: Instance, ending: Ending = {}): Turn {
  if (one.state === "terminated" || one.state === "shutting-down") return [];
  const { reason = BY_USER, afterMs = 0, takesMs = scene.world.settings.endMs } = ending;
  // A machine that does not run has nothing to shut down.
  const takes = one.state === "stopped" ? 0 : takesMs;
  endVolumes(scene, one, afterMs + takes);
  endSpotRequest(scene, one, reason, afterMs);
  const transition = `User initiated (${new Date(scene.now).toISOString().slice(0, 19).replace("T", " ")} GMT)`;
  return [
    {
      inMs: afterMs,
      patch: { state: "shutting-down", reason, transition: reason === BY_USER ? transition : reason.message },
    },
    { inMs: afterMs + takes, patch: { state: "terminated", devices: [] } },
  ];
}

function endVolumes({ region, now }: Scene, one: Instance, inMs: number): void {
  for (const { volumeId, deleteOnTermination } of one.devices) {
    region.volumes.get(volumeId)?.turn(now, {
      inMs,
      patch: (volume) => (deleteOnTermination ? null : { ...volume, state: "available", attachment: null }),
    });
  }
}

function endSpotRequest({ region, now }: Scene, { spotRequestId }: Instance, reason: Reason, inMs: number): void {
  if (spotRequestId === null) return;
  const byUs = reason === BY_USER;
  region.spotRequests.get(spotRequestId)?.turn(now, {
    inMs,
    patch: (request) => ({
      ...request,
      state: request.state === "cancelled" ? "cancelled" : "closed",
      status: byUs
        ? {
            code: "instance-terminated-by-user",
            message: "Spot Instance terminated due to user-initiated termination.",
          }
        : {
            code: "instance-terminated-no-capacity",
            message: "Your Spot instance was terminated as there is no capacity.",
          },
    }),
  });
}
