import { at, isAlive, type StoredInstance, statusAt, turn, type World } from "./world.ts";

// What the emulator does with the machines behind its instances, where there are any.

/** A machine that cannot start is an instance in error, as everywhere. */
export function createMachine(world: World, one: StoredInstance, now: number): void {
  const { machines } = world.settings;
  if (machines === null || one.ip === null) return;
  const keys = at(world.sshKeys, now).filter(({ name }) => one.request.ssh_key_names.includes(name));
  const { user_data: userData = "" } = one.request;
  const sshKeys = keys.map(({ public_key }) => public_key);
  machines.create({ id: one.id, address: one.ip, userData, sshKeys }).catch(() => {
    const status = statusAt(one, world.clock.now());
    if (isAlive(one, world.clock.now()) && status !== "terminating") turn(world, one, { inMs: 0, status: "unhealthy" });
  });
}

export function rebootMachine({ settings }: World, { id }: StoredInstance): void {
  // One that does not come back is its client's to see.
  settings.machines?.reboot(id).catch(() => undefined);
}
