import { bringUp } from "./nodes.ts";
import type { Machine } from "./records.ts";
import { endMachine, goneMachine, move, newAddresses, print, type Remote } from "./remote.ts";
import type { MemoryWorld } from "./world.ts";

type MachineFaults = Pick<
  MemoryWorld,
  | "crash"
  | "fail"
  | "stop"
  | "interruptSpot"
  | "setState"
  | "remove"
  | "rename"
  | "changeAddress"
  | "failSnapshot"
  | "stopNode"
  | "restartNode"
>;

/** What befalls things without anybody asking for it. */
export function machineFaults(present: () => Remote): MachineFaults {
  const strike = (nativeId: string, fault: (world: Remote, machine: Machine, at: number) => void): void => {
    const world = present();
    const machine = world.machines.current(nativeId);
    if (machine === undefined) throw new RangeError(`there is no machine ${nativeId}`);
    world.changes += 1;
    fault(world, machine, world.clock.now());
  };
  return {
    crash: (nativeId) =>
      strike(nativeId, (world, machine, at) => {
        print(world, nativeId, at, `${machine.name} ended by itself`);
        goneMachine(world, machine, at, { code: "crashed", text: "the machine ended by itself" });
      }),
    fail: (nativeId, text = "the machine does not work") =>
      strike(nativeId, (world, machine, at) =>
        move(world, machine, "failed", at, { reason: { code: "failed", text } }),
      ),
    stop: (nativeId) =>
      strike(nativeId, (world, machine, at) =>
        move(world, machine, "halted", at, { publicIp: null, reason: { code: "halted", text: "halted by somebody" } }),
      ),
    interruptSpot: (nativeId) =>
      strike(nativeId, (world, machine, at) => {
        if (!machine.spot) throw new RangeError(`machine ${nativeId} is not interruptible`);
        endMachine(world, machine, at, { code: "reclaimed", text: "the capacity was reclaimed" });
      }),
    setState: (nativeId, state) => strike(nativeId, (world, machine, at) => move(world, machine, state, at)),
    remove: (nativeId) =>
      strike(nativeId, (world, machine, at) => {
        goneMachine(world, machine, at);
        world.machines.remove(nativeId, at);
      }),
    rename: (nativeId, name) => strike(nativeId, (world, machine, at) => world.machines.put({ ...machine, name }, at)),
    changeAddress: (nativeId) =>
      strike(nativeId, (world, machine, at) => {
        const [publicIp, privateIp] = newAddresses(world);
        world.machines.put({ ...machine, publicIp: machine.publicIp === null ? null : publicIp, privateIp }, at);
      }),
    failSnapshot: (nativeId) => {
      const world = present();
      const capture = world.captures.current(nativeId);
      if (capture === undefined) throw new RangeError(`there is no snapshot ${nativeId}`);
      world.changes += 1;
      world.captures.put({ ...capture, state: "broken" }, world.clock.now());
    },
    stopNode: (nodeId) => {
      const world = present();
      const node = world.nodes.current(nodeId);
      if (node === undefined) throw new RangeError(`there is no node ${nodeId}`);
      world.changes += 1;
      world.nodes.put({ ...node, state: "exited", address: null, hostPort: null }, world.clock.now());
    },
    restartNode: (nodeId) => {
      const world = present();
      if (world.nodes.current(nodeId) === undefined) throw new RangeError(`there is no node ${nodeId}`);
      world.changes += 1;
      bringUp(world, nodeId, world.clock.now());
      present();
    },
  };
}
