import type { Instance } from "./things.ts";
import type { Scene, Turn } from "./transitions.ts";
import type { World } from "./world.ts";

// What the emulator does with the machines behind its instances, where there are any.

/** Rejects where the machine cannot start. */
export async function createMachine({ settings }: World, one: Instance, address: string | null): Promise<void> {
  const userData = Buffer.from(one.userData ?? "", "base64");
  if (address !== null) await settings.machines?.create({ id: one.id, address, userData, sshKeys: [] });
}

/** What an instance's course means for its machine. Hibernation keeps no memory: the machine boots again. */
export function followTurn(scene: Scene, id: string, turn: Turn): void {
  const { machines } = scene.world.settings;
  if (machines === null) return;
  for (const { inMs, patch } of turn) {
    const act = actionFor(patch.state, machines);
    if (act === null) continue;
    if (inMs === 0) ignoreFailure(act(id));
    else ignoreFailure(later(scene, id, { inMs, state: patch.state }, act));
  }
}

type Act = (id: string) => Promise<void>;

function actionFor(
  state: Instance["state"] | undefined,
  machines: NonNullable<World["settings"]["machines"]>,
): Act | null {
  if (state === "shutting-down" || state === "terminated") return machines.end;
  if (state === "stopping" || state === "stopped") return machines.stop;
  return state === "pending" ? machines.start : null;
}

/** Unless something else has become of it meanwhile. */
async function later(
  { world, region, now }: Scene,
  id: string,
  { inMs, state }: { readonly inMs: number; readonly state: Instance["state"] | undefined },
  act: Act,
): Promise<void> {
  await world.clock.sleep(inMs, world.settings.machines?.closed);
  const there = region.instances.get(id)?.at(Math.max(world.clock.now(), now + inMs));
  if (there === null || there?.state === state) await act(id);
}

/** What a machine does not do is its client's to see, and the inspector's. */
export function ignoreFailure(work: Promise<void> | undefined): void {
  work?.catch(() => undefined);
}
