import { eventAt, type StoredInstance, turn, type World } from "./world.ts";

// What the emulator does with the machines behind its instances, where there are any.

/** What a time limit does later, unless something else has become of the instance by then. */
export function followLimit(world: World, one: StoredInstance): void {
  const { machines } = world.settings;
  const ends = machines === null ? undefined : one.events.find(({ target }) => target !== undefined);
  if (machines === null || ends === undefined) return;
  const act = async (): Promise<void> => {
    await world.clock.sleep(ends.at - world.clock.now(), machines.closed);
    if (!one.events.includes(ends)) return;
    await (ends.target === "DELETED" ? machines.end(one.id) : machines.stop(one.id));
  };
  act().catch(() => undefined);
}

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
