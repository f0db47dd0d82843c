import type { MachineRecord, OrbState } from "./state.ts";

const LAST = 254;

/** The next address of the pool, another at every start. Without one left the machine gets none. */
export function takeAddress(state: OrbState, machine: MachineRecord): void {
  if (machine.ip4 !== undefined) return;
  if (state.ipPoolLeft <= 0) {
    machine.noAddress = true;
    return;
  }
  const taken = new Set(state.machines.map(({ ip4 }) => ip4));
  for (let tries = 0; tries < LAST; tries += 1) {
    const address = `192.168.139.${state.nextIp}`;
    const host = state.nextIp;
    state.nextIp = state.nextIp >= LAST ? 2 : state.nextIp + 1;
    if (taken.has(address)) continue;
    machine.ip4 = address;
    machine.ip6 = `fd07:b51a:cc66:0:${suffix(machine.made)}:1bff:fe4a:${host.toString(16)}`;
    state.ipPoolLeft -= 1;
    return;
  }
  machine.noAddress = true;
}

function suffix(made: number): string {
  return (0x1000 + (made % 0xe000)).toString(16);
}

export function giveBackAddress(state: OrbState, machine: MachineRecord): void {
  if (machine.ip4 === undefined) return;
  delete machine.ip4;
  delete machine.ip6;
  state.ipPoolLeft += 1;
}
