import {
  type BootstrapScript,
  checksumOf,
  defineProvider,
  type Instance,
  nameFor,
  namePrefixFor,
  type Provider,
  ProviderError,
  systemClock,
} from "@slipway/core";
import type { Harness } from "../src/harness.ts";

/** A remote that keeps a name and a size of each machine, and nothing else: as a command without labels would. */
interface Machine {
  readonly name: string;
  readonly size: string;
  readonly uuid: string;
}

const LAG_MS = 15;
const OFF = "the remote keeps nothing but names";

function poorProvider(owner: string, remote: Map<string, Machine>, seen: Map<string, number>): Provider {
  // Reads miss what is younger than the lag, as the real clock tells it.
  const visible = (): readonly Machine[] =>
    [...remote.values()].filter(({ uuid }) => systemClock.now() - (seen.get(uuid) ?? 0) >= LAG_MS);
  const told = ({ name, uuid, size }: Machine): Instance => ({
    id: uuid,
    nativeId: uuid,
    status: "running",
    provider: "poor",
    key: null,
    owner: name.startsWith(namePrefixFor(owner)) ? owner : null,
    spec: size,
    addresses: {},
    isSpot: false,
    labels: {},
    createdAt: null,
  });
  const find = (id: string): Machine | undefined => visible().find(({ uuid }) => uuid === id);
  return defineProvider<Provider>({
    name: "poor",
    owner,
    tier: "additional",
    capabilities: {},
    limits: { maxUserDataBytes: 1, maxLabels: 0, nameMaxLength: 1, readAfterWriteMs: LAG_MS, requestLifeMs: 0 },
    whyNot: {
      snapshots: OFF,
      spot: OFF,
      gpu: OFF,
      multiRegion: OFF,
      persistentVolumes: OFF,
      warmVolumes: OFF,
      hibernation: OFF,
      costExplorer: OFF,
      tailscaleNative: OFF,
      idempotentSpawn: OFF,
      customNetworking: OFF,
    },
    refuses: {
      name: OFF,
      resources: OFF,
      image: OFF,
      bootstrap: OFF,
      ports: OFF,
      sshKeys: OFF,
      labels: OFF,
      expiresAt: OFF,
      maxUsdPerHour: OFF,
    },
    spawn: async ({ key = "", spec = "small" }) => {
      const name = nameFor(owner, key);
      const there = visible().find((machine) => machine.name === name);
      if (there !== undefined) {
        if (there.size === spec) return told(there);
        const message = `${name} is there with another size`;
        const at = {
          message,
          provider: "poor",
          operation: "spawn",
          effect: "none",
          native: { id: there.uuid },
        } as const;
        throw new ProviderError("CONFLICT", at);
      }
      await systemClock.sleep(1);
      const machine = { name, size: spec, uuid: crypto.randomUUID() };
      remote.set(machine.uuid, machine);
      seen.set(machine.uuid, systemClock.now());
      return told(machine);
    },
    terminate: async (id) => {
      remote.delete(id);
    },
    get: async (id) => {
      const machine = find(id);
      return machine === undefined ? null : told(machine);
    },
    list: async ({ ids, keys, status, labels, owner: whose = owner } = {}) => {
      const prefix = whose === "*" ? "slip-" : namePrefixFor(whose);
      return visible()
        .filter(({ name }) => name.startsWith(prefix))
        .filter(({ uuid }) => ids === undefined || ids.includes(uuid))
        .filter(({ name }) => keys === undefined || keys.some((key) => nameFor(owner, key) === name))
        .filter(() => (status === undefined || status.includes("running")) && Object.keys(labels ?? {}).length === 0)
        .map(told);
    },
    generateBootstrap: ({ script }): BootstrapScript => ({
      content: script,
      format: "shell",
      checksum: checksumOf(script),
      byteLength: new TextEncoder().encode(script).length,
    }),
  });
}

/** The least that a harness can be: an inspector, a clock, and no faults. */
export async function poorHarness(): Promise<Harness> {
  const remote = new Map<string, Machine>();
  const seen = new Map<string, number>();
  const provider = poorProvider("contract-tests", remote, seen);
  return {
    registration: {
      provider,
      hooks: {
        onStartup: async () => undefined,
        onShutdown: async () => undefined,
        onHeartbeat: async ({ tasks, deadline }) => ({
          receipts: tasks.map((task) => {
            if (Date.parse(deadline) > systemClock.now()) return { task, ok: true };
            const at = { message: "too late", provider: "poor", operation: "onHeartbeat", effect: "none" } as const;
            return { task, ok: false, error: new ProviderError("TIMEOUT", at) };
          }),
        }),
      },
    },
    spawnOptions: () => ({ spec: "small" }),
    otherSpawnOptions: () => ({ spec: "large" }),
    another: async ({ owner = "contract-tests" } = {}) => poorProvider(owner, remote, seen),
    inspector: {
      instances: async () =>
        [...remote.values()].map(({ uuid }) => ({ nativeId: uuid, owner: null, key: null, live: true })),
    },
    clock: systemClock,
    unknownId: "00000000-0000-4000-8000-000000000000",
    secrets: [],
    patienceMs: 1_000,
    close: async () => undefined,
  };
}
