import { eventAt, type StoredInstance, turn, type World } from "./world.ts";

// What the emulator does with the machines behind its instances, where there are any.

/** A machine that cannot start is an instance that Google stops. */
export function createMachine(world: World, one: StoredInstance): void {
  const { machines } = world.settings;
  if (machines === null || one.natIp === null) return;
  const item = (name: string): string => one.request.body.metadata?.items?.find(({ key }) => key === name)?.value ?? "";
  // Each line has the name of a user before its key.
  const sshKeys = item("ssh-keys")
    .split("\n")
    .flatMap((line) => (line.includes(":") ? [line.slice(line.indexOf(":") + 1).trim()] : []));
  machines.create({ id: one.id, address: one.natIp, userData: item("user-data"), sshKeys }).catch(() => {
    if (eventAt(one, world.clock.now())?.target === undefined) turn(world, one, { inMs: 0, status: "TERMINATED" });
  });
}
