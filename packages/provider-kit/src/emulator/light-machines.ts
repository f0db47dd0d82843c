import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SshEndpoint } from "@slipway/core";
import { detectIsolation, endSandbox, type Sandbox, sandboxLayout, startSandbox } from "../sandbox/index.ts";
import { readLightUserData } from "./light-user-data.ts";
import { claimAddresses } from "./machine-addresses.ts";
import { canListenAsShown, haltSshd, type MachineSshd, sshdMissing, startMachineSshd } from "./machine-sshd.ts";
import type { EmulatedMachine, OpenMachines } from "./machines.ts";

interface Kept {
  readonly machine: EmulatedMachine;
  running: { readonly sandbox: Sandbox; readonly sshd: MachineSshd } | null;
}

const CONSOLE_BYTES = 65_536;

/** Why there can be no such machines here, or null. */
export async function lightMachinesMissing(): Promise<string | null> {
  const { isolation, reason } = await detectIsolation();
  if (isolation !== "bubblewrap") return `no bubblewrap: ${reason ?? "it is switched off"}`;
  const missing = sshdMissing();
  return missing === null ? null : `${missing} is not installed`;
}

/**
 * Machines in `directory`, which is absolute and there. The user data of each runs as root in its sandbox. Its sshd runs
 * beside the sandbox as this user, on an address of the machine's own: as the host's root on port 22 under the log-in
 * names of cloud images, else on a free port under this user's name. Every log-in is led into the sandbox. The sshds end
 * with this process.
 */
export async function lightMachines(directory: string): Promise<OpenMachines> {
  const addresses = await claimAddresses();
  const asShown = await canListenAsShown(addresses.next());
  const kept = new Map<string, Kept>();
  const closing = new AbortController();
  const queues = new Map<string, Promise<unknown>>();
  // An emulator counts its ids from a seed, so that another one on this host has machines of the same ids.
  const own = crypto.randomUUID().slice(0, 8);
  const sandboxId = (id: string): string => `light-${own}-${id}`;
  const placeOf = (id: string): string => join(directory, id);

  const queued = <T>(id: string, act: () => Promise<T>): Promise<T> => {
    const before = queues.get(id) ?? Promise.resolve();
    const next = before.then(act, act);
    queues.set(id, next);
    return next;
  };
  const boot = async (one: Kept): Promise<void> => {
    const { machine } = one;
    one.running = await startMachine({ id: sandboxId(machine.id), directory: placeOf(machine.id) }, machine, asShown);
  };
  const halt = async (id: string): Promise<void> => {
    const one = kept.get(id);
    const process = one?.running ? await haltSshd(one.running.sshd) : null;
    // With the sshd go its connections, which outlive it otherwise.
    await endSandbox({ id: sandboxId(id), directory: placeOf(id), ...(process === null ? {} : { process }) });
    if (one !== undefined) one.running = null;
  };
  const remove = async (id: string): Promise<void> => {
    if (!kept.has(id)) return;
    await halt(id);
    await rm(placeOf(id), { recursive: true, force: true });
    kept.delete(id);
  };
  const again = async (id: string): Promise<void> => {
    const one = kept.get(id);
    if (one !== undefined && one.running === null) await boot(one);
  };
  return {
    description: "sandboxes that read their user data by slipway's own reader, behind OpenSSH's sshd",
    newAddress: addresses.next,
    closed: closing.signal,
    create: (machine) =>
      queued(machine.id, async () => {
        // Nobody would end it any more.
        if (closing.signal.aborted) throw new Error("the machines are closed");
        const one: Kept = { machine, running: null };
        kept.set(machine.id, one);
        try {
          await prepareMachine(placeOf(machine.id), machine);
          await boot(one);
        } catch (error) {
          await remove(machine.id);
          throw error;
        }
      }),
    end: (id) => queued(id, () => remove(id)),
    stop: (id) => queued(id, () => halt(id)),
    start: (id) => queued(id, () => again(id)),
    reboot: (id) =>
      queued(id, async () => {
        if (kept.get(id)?.running === null) return;
        await halt(id);
        await again(id);
      }),
    console: (id) => readConsole(sandboxLayout(placeOf(id)).log),
    endpoint: (shown) => {
      if (shown === undefined) return undefined;
      const one = [...kept.values()].find(({ machine, running }) => machine.address === shown.host && running !== null);
      const there: SshEndpoint | undefined = one?.running?.sshd.endpoint;
      return there;
    },
    close: async () => {
      closing.abort();
      await Promise.all([...kept.keys()].map((id) => queued(id, () => remove(id))));
      addresses.release();
    },
  };
}

async function prepareMachine(directory: string, machine: EmulatedMachine): Promise<void> {
  const { sshKeys, firstStart, everyStart } = await readLightUserData(machine.userData);
  const place = join(directory, "root", "var", "lib", "cloud");
  // Closed to other users of the host: its root can hold setuid programs of the host's root.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir(place, { recursive: true });
  const later = machine.runsAtEveryStart === true ? everyStart + firstStart : everyStart;
  await writeFile(join(place, "light-first-start"), everyStart + firstStart, { mode: 0o700 });
  await writeFile(join(place, "light-start"), later, { mode: 0o700 });
  const keys = [...machine.sshKeys, ...sshKeys].map((key) => `${key}\n`).join("");
  await writeFile(join(directory, "authorized_keys"), keys, { mode: 0o600 });
}

// A machine that is stopped in the middle of its first start has had it, as with cloud-init.
const START = [
  "cd /var/lib/cloud",
  "if [ -e light-started ]; then script=light-start; else script=light-first-start; touch light-started; fi",
  'cd "$HOME"',
  '/bin/sh "/var/lib/cloud/$script"',
  "exec sleep infinity",
].join("\n");

async function startMachine(
  { id, directory }: { readonly id: string; readonly directory: string },
  machine: EmulatedMachine,
  asShown: boolean,
): Promise<NonNullable<Kept["running"]>> {
  const sandbox = await startSandbox({
    id,
    directory,
    isolation: await detectIsolation(),
    argv: ["/bin/sh", "-c", START],
    // Nobody else knows of it: of an emulator that is killed it would run for ever.
    endsWithCaller: true,
  });
  try {
    return { sandbox, sshd: await startMachineSshd({ directory, address: machine.address, asShown, sandbox }) };
  } catch (error) {
    await endSandbox(sandbox);
    throw error;
  }
}

function readConsole(path: string): string {
  if (!existsSync(path)) return "";
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, CONSOLE_BYTES);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, size - length)).toString("utf8");
  } finally {
    closeSync(file);
  }
}
