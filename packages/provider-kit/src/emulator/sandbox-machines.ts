import { closeSync, existsSync, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { SshEndpoint } from "@slipway/core";
import { detectIsolation, endSandbox, type Sandbox, sandboxLayout, startSandbox } from "../sandbox/index.ts";
import { cloudInitMissing, cloudInitReader } from "./cloud-init-reader.ts";
import { lightReader } from "./light-reader.ts";
import { claimAddresses } from "./machine-addresses.ts";
import type { SshServer, SshServerSpec } from "./machine-sshd.ts";
import { canListenAsShown, sshdMissing, startSshd } from "./machine-sshd.ts";
import type { EmulatedMachine, OpenMachines } from "./machines.ts";
import { KEYS_READY, type UserDataReader } from "./user-data-reader.ts";

/** What reads the user data: our own reader, or cloud-init. */
export type SandboxMachinesKind = "light" | "real";

interface Kept {
  readonly machine: EmulatedMachine;
  running: Running | null;
}

interface Running {
  readonly sandbox: Sandbox;
  /** What listens, once it does. */
  server: SshServer | null;
  /** Ends the wait for the keys of a machine that makes them itself. Settles when nothing starts a server any more. */
  readonly abandon: () => Promise<void>;
}

const CONSOLE_BYTES = 65_536;
const LOOK_MS = 50;

/** Why there can be no machines of this kind here, or null. */
export async function machinesMissing(kind: SandboxMachinesKind): Promise<string | null> {
  const { isolation, reason } = await detectIsolation();
  if (isolation !== "bubblewrap") return `no bubblewrap: ${reason ?? "it is switched off"}`;
  return (await sshServerMissing()) ?? (kind === "real" ? cloudInitMissing() : null);
}

/**
 * Machines in `directory`, which is absolute and there. The user data of each runs as root in its sandbox, by our own
 * reader or by cloud-init; a container's command always by our own, since containers have no cloud-init. The ssh server of
 * each runs beside the sandbox as this user, on an address of the machine's own: as the host's root on port 22 under the
 * log-in names of cloud images, else on a free port. Every log-in is led into the sandbox. The servers end with this
 * process.
 */
export async function sandboxMachines(directory: string, kind: SandboxMachinesKind): Promise<OpenMachines> {
  const servers = await sshServers();
  const reader = kind === "real" ? cloudInitReader : lightReader;
  const addresses = await claimAddresses();
  const asShown = await canListenAsShown(addresses.next());
  const kept = new Map<string, Kept>();
  const closing = new AbortController();
  const queues = new Map<string, Promise<unknown>>();
  // An emulator counts its ids from a seed, so that another one on this host has machines of the same ids.
  const own = crypto.randomUUID().slice(0, 8);
  const sandboxId = (id: string): string => `${kind}-${own}-${id}`;
  const placeOf = (id: string): string => join(directory, id);

  const queued = <T>(id: string, act: () => Promise<T>): Promise<T> => {
    const before = queues.get(id) ?? Promise.resolve();
    const next = before.then(act, act);
    queues.set(id, next);
    return next;
  };
  const readerOf = (machine: EmulatedMachine): UserDataReader =>
    machine.runsAtEveryStart === true ? lightReader : reader;
  const boot = async (one: Kept): Promise<void> => {
    const { machine } = one;
    const place = { id: sandboxId(machine.id), directory: placeOf(machine.id) };
    one.running = await startMachine(place, machine, readerOf(machine), (at) => servers.start({ ...at, asShown }));
  };
  const halt = async (id: string): Promise<void> => {
    const one = kept.get(id);
    await one?.running?.abandon();
    const process = (await one?.running?.server?.halt()) ?? null;
    // With sshd go its connections, which outlive it otherwise.
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
    description: `sandboxes whose user data is read by ${reader.name}, behind ${servers.name}`,
    newAddress: addresses.next,
    closed: closing.signal,
    create: (machine) =>
      queued(machine.id, async () => {
        // Nobody would end it any more.
        if (closing.signal.aborted) throw new Error("the machines are closed");
        const one: Kept = { machine, running: null };
        kept.set(machine.id, one);
        try {
          await prepareMachine(placeOf(machine.id), machine, readerOf(machine));
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
      const there: SshEndpoint | undefined = one?.running?.server?.endpoint;
      return there;
    },
    close: async () => {
      closing.abort();
      await Promise.all([...kept.keys()].map((id) => queued(id, () => remove(id))));
      addresses.release();
    },
  };
}

async function prepareMachine(directory: string, machine: EmulatedMachine, reader: UserDataReader): Promise<void> {
  // Closed to other users of the host: its root can hold setuid programs of the host's root.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await reader.prepare(directory, machine);
}

interface Place {
  readonly id: string;
  readonly directory: string;
}

type StartServer = (at: Omit<SshServerSpec, "asShown">) => Promise<SshServer>;

async function startMachine(
  { id, directory }: Place,
  machine: EmulatedMachine,
  reader: UserDataReader,
  startServer: StartServer,
): Promise<Running> {
  const keysReady = join(sandboxLayout(directory).run, KEYS_READY);
  await rm(keysReady, { force: true });
  const sandbox = await startSandbox({
    id,
    directory,
    isolation: await detectIsolation(),
    argv: ["/bin/sh", "-c", `${reader.start}\nexec sleep infinity`],
    // Nobody else knows of it: of an emulator that is killed it would run for ever.
    endsWithCaller: true,
  });
  const keyFiles = reader.keyFiles.map((file) => join(directory, file));
  const serve = (): Promise<SshServer> => startServer({ directory, address: machine.address, sandbox, keyFiles });
  try {
    if (!reader.makesKeys) return { sandbox, server: await serve(), abandon: async () => undefined };
    return serveLater(sandbox, keysReady, serve);
  } catch (error) {
    await endSandbox(sandbox);
    throw error;
  }
}

/** Nothing listens before the keys are there, as on a machine whose sshd starts after cloud-init has made them. */
function serveLater(sandbox: Sandbox, keysReady: string, serve: () => Promise<SshServer>): Running {
  const given = new AbortController();
  const starting = async (): Promise<void> => {
    while (!isThere(keysReady)) await setTimeout(LOOK_MS, undefined, { signal: given.signal, ref: false });
    running.server = await serve();
  };
  // A machine without a server is its client's to see, as everywhere.
  const started = starting().catch(() => undefined);
  const abandon = async (): Promise<void> => {
    given.abort();
    await started;
  };
  const running: Running = { sandbox, server: null, abandon };
  return running;
}

/** The machine writes there: no link of it is followed. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
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

/** A kind of ssh server for machines. */
interface SshServers {
  /** For the emulator's first line. */
  readonly name: string;
  readonly start: (spec: SshServerSpec) => Promise<SshServer>;
}

/** What is missing for an ssh server, or null. */
async function sshServerMissing(): Promise<string | null> {
  const missing = sshdMissing();
  if (missing === null || (await canLoadSsh2())) return null;
  return `${missing} is not installed, and neither is the package ssh2`;
}

/** OpenSSH's where it is found, else the one of the package ssh2. */
async function sshServers(): Promise<SshServers> {
  if (sshdMissing() === null) return { name: "OpenSSH's sshd", start: startSshd };
  // Loaded here: it is optional, and few hosts lack sshd.
  const { startSsh2 } = await import("./machine-ssh2.ts");
  return { name: "the server of ssh2", start: startSsh2 };
}

async function canLoadSsh2(): Promise<boolean> {
  try {
    await import("ssh2");
    return true;
  } catch {
    return false;
  }
}
