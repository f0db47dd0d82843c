import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, SshEndpoint } from "@slipway/core";
import type { EmulatorServer } from "./emulator-server.ts";
import type { HttpEmulator } from "./http-emulator.ts";
import { nodeHttpAdapter } from "./node-http-adapter.ts";
import { machinesMissing, type SandboxMachinesKind, sandboxMachines } from "./sandbox-machines.ts";
import { scaledClock } from "./scaled-clock.ts";

/** What an emulated remote knows of a machine when it makes it. */
export interface EmulatedMachine {
  readonly id: string;
  /** The address that the remote shows: one of `newAddress`. */
  readonly address: string;
  /** As the machine gets it: a script, a cloud-config, a MIME message of them, also compressed. */
  readonly userData: string | Uint8Array;
  /** Public keys that the remote itself sets up. */
  readonly sshKeys: readonly string[];
  /** Whether a script runs at every start, as a container's command does, and not at the first one alone. */
  readonly runsAtEveryStart?: boolean | undefined;
}

/**
 * What an emulated remote does with its machines. All that is asked of one machine happens in the order in which it was
 * asked; a machine that is not there is left alone.
 */
export interface Machines {
  /** An address of 127.0.0.0/8 for a new machine. */
  readonly newAddress: () => string;
  /** Rejects where the machine cannot start: then nothing of it is left. */
  readonly create: (machine: EmulatedMachine) => Promise<void>;
  /** Resolves when no process of it is left, and its disk is gone. */
  readonly end: (id: string) => Promise<void>;
  /** Ends its processes. Its disk stays. */
  readonly stop: (id: string) => Promise<void>;
  /** Starts it again after a stop. */
  readonly start: (id: string) => Promise<void>;
  readonly reboot: (id: string) => Promise<void>;
  /** What it printed since it was made: the last 64 KiB. */
  readonly console: (id: string) => string;
  /** Aborts when the machines are closed: what waits to do something with one need not wait longer. */
  readonly closed: AbortSignal;
  /** Where the machine's sshd really listens, for the endpoint that the remote shows. */
  readonly endpoint: (shown: SshEndpoint | undefined) => SshEndpoint | undefined;
}

/** Machines of an emulator, until they are closed. */
export interface OpenMachines extends Machines {
  /** What they are, for the emulator's first line. */
  readonly description: string;
  /** Ends all of them. */
  readonly close: () => Promise<void>;
}

/**
 * What stands behind the instances of an emulated remote. `light`: sandboxes with an ssh server, whose user data is read
 * by our own reader. `real`: the same, but cloud-init reads it. `none`: nothing, and no instance shows an address.
 */
export type MachinesKind = SandboxMachinesKind | "none";

/** Machines of a kind, in a directory of their own. Null for `none`. Throws an Error that says what is missing here. */
export async function openMachines(kind: MachinesKind): Promise<OpenMachines | null> {
  if (kind === "none") return null;
  const missing = await machinesMissing(kind);
  if (missing !== null) throw new Error(`there can be no machines of the kind ${kind} here: ${missing}`);
  const directory = await mkdtemp(join(tmpdir(), "slipway-machines-"));
  const machines = await sandboxMachines(directory, kind);
  return {
    ...machines,
    close: async () => {
      await machines.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Serves an emulator with machines of a kind, which end with it. `undefined`: the emulator is served without any. */
export async function withMachines<T extends { readonly close: () => Promise<void> }>(
  kind: MachinesKind | undefined,
  serve: (machines: Machines | null | undefined) => Promise<T>,
): Promise<T & { readonly machines?: string }> {
  const open = kind === undefined ? undefined : await openMachines(kind);
  const close = async (): Promise<void> => await open?.close();
  try {
    const served = await serve(open);
    const description = kind === undefined ? {} : { machines: open?.description ?? NO_MACHINES };
    return { ...served, ...description, close: () => closeBoth(served.close, close) };
  } catch (error) {
    await close();
    throw error;
  }
}

const NO_MACHINES = "none: no instance shows an address";

async function closeBoth(first: () => Promise<void>, second: () => Promise<void>): Promise<void> {
  try {
    await first();
  } finally {
    await second();
  }
}

/** What every emulator takes that is served to other processes. */
export interface ServeOptionsBase {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its instances; nothing if absent, and they show an address where nothing answers. */
  readonly machines?: MachinesKind | undefined;
}

/** What an emulator that is served is made of. */
export interface ServedParts {
  readonly clock: Clock;
  readonly machines: Machines | null | undefined;
  /** Of the server itself, once it listens. */
  readonly port: () => number;
}

/**
 * An emulated API as a server on the loopback, with machines behind it where they are asked for.
 *
 * @example
 * ```ts
 * const server = await serveEmulator(options, (parts) => acmeEmulator(parts), (url) => ({
 *   baseUrl: `${url}/v1/`,
 *   variables: { ACME_BASE_URL: `${url}/v1/` },
 * }));
 * await server.close();
 * ```
 */
export async function serveEmulator<E extends Pick<HttpEmulator, "handle">>(
  { port, speed = 1, machines: kind }: ServeOptionsBase,
  make: (parts: ServedParts) => E,
  reachedAt: (url: string) => Pick<EmulatorServer, "baseUrl" | "variables">,
): Promise<EmulatorServer & { readonly emulator: E }> {
  return await withMachines(kind, async (machines) => {
    const emulator = make({ machines, clock: scaledClock(speed), port: () => server.port });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    return { ...reachedAt(server.url), port: server.port, emulator, close: server.close };
  });
}
