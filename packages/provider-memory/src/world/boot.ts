import { carriedBootstrap } from "@slipway/provider-kit/bootstrap";
import type { Machine } from "./records.ts";
import { move, newAddresses, print, type Remote, thenFor } from "./remote.ts";
import type { BootstrapOutcome, UserData } from "./settings.ts";

const MARKER = /^\s*exit (\d{1,3})\s*$/;

/** What the remote does with a bootstrap: it does not run it, it looks how it ends. */
function outcomeOf(world: Remote, userData: UserData): BootstrapOutcome {
  const script = carriedBootstrap(userData)?.script ?? userData.content;
  if (world.settings.runBootstrap !== undefined) return world.settings.runBootstrap({ ...userData, script });
  const last = script
    .split("\n")
    .map((line) => MARKER.exec(line)?.[1])
    .findLast((code) => code !== undefined);
  return { exitCode: last === undefined ? 0 : Number(last) & 0xff };
}

/** Lets a machine come up: addresses, then the bootstrap if it has one and it has not run. */
export function bootAfter(world: Remote, machine: Machine, at: number, ms: number, run: UserData | null): void {
  thenFor(world, machine, at + ms, (current, when) => {
    const [publicIp, privateIp] = newAddresses(world);
    const boot = current.boot?.phase === "queued" ? { ...current.boot, phase: "executing" as const } : current.boot;
    const up = move(world, current, "active", when, {
      publicIp,
      privateIp: current.privateIp ?? privateIp,
      boot,
    });
    print(world, up.id, when, `${up.name} is up`);
    if (run !== null && boot?.phase === "executing") startBootstrap(world, up, when, run);
  });
}

function startBootstrap(world: Remote, machine: Machine, at: number, run: UserData): void {
  print(world, machine.id, at, `bootstrap ${run.checksum} begins`);
  const finish = (when: number): void => {
    const current = world.machines.current(machine.id);
    if (current === undefined || current.boot === null || GONE.has(current.state)) return;
    // While the machine is asleep its bootstrap is too.
    if (ASLEEP.has(current.state)) return world.timeline.plan(when + world.settings.bootstrapMs, finish);
    const { exitCode, output = [] } = outcomeOf(world, run);
    for (const line of output) print(world, machine.id, when, line);
    print(world, machine.id, when, `bootstrap ended with exit code ${exitCode}`);
    const done: Partial<Machine> = { boot: { ...current.boot, phase: "done", exitCode } };
    if (exitCode === 0 || current.state !== "active") {
      world.machines.put({ ...current, ...done }, when);
    } else {
      const reason = { code: "bootstrap-failed", text: `the bootstrap ended with exit code ${exitCode}` };
      move(world, current, "failed", when, { ...done, reason });
    }
  };
  world.timeline.plan(at + world.settings.bootstrapMs, finish);
}

const GONE: ReadonlySet<string> = new Set(["deleting", "deleted", "failed"]);
const ASLEEP: ReadonlySet<string> = new Set(["suspending", "suspended", "waking", "halting", "halted"]);
