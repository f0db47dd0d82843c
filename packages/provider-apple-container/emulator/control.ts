import { randomUUID } from "node:crypto";
import { decodeLabel, OURS } from "../src/tags.ts";
import { digestOf } from "./image-reference.ts";
import { halt, type Machine, noticeEnds, removeContainer } from "./machine.ts";
import type { CommandFault, ContainerRecord, EmulatedVersion, ServiceState, StepBehaviour } from "./state.ts";

/** A container as it really is, whatever a list says. */
export interface SeenContainer {
  /** Its name. */
  readonly nativeId: string;
  readonly owner: string | null;
  readonly key: string | null;
  /** Of which cluster it is a node; null for an instance. */
  readonly cluster: string | null;
  readonly live: true;
  readonly status: "created" | "running" | "exited";
  readonly ipv4: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a test sees and does behind the command's back. */
export interface ContainerControl {
  readonly instances: () => Promise<readonly SeenContainer[]>;
  readonly volumes: () => Promise<readonly string[]>;
  /** How many writes have had an effect. */
  readonly changes: () => Promise<number>;
  /** A running container of somebody else's; answers its name. */
  readonly addUnmanaged: (name?: string) => Promise<string>;
  readonly hasUnmanaged: (name: string) => Promise<boolean>;
  /** Its processes end; the container stays. */
  readonly crash: (name: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** As a client leaves it that was killed between creation and start, or a restart of the service. */
  readonly forgetStart: (name: string) => Promise<void>;
  /** Every container ends, and none remembers when it started. */
  readonly restartDaemon: () => Promise<void>;
  readonly setService: (service: ServiceState) => Promise<void>;
  readonly setVersion: (version: EmulatedVersion, macos: 15 | 26) => Promise<void>;
  /** The image is in the registry from now on. */
  readonly publish: (reference: string) => Promise<void>;
  readonly addFaults: (...faults: readonly CommandFault[]) => Promise<void>;
  readonly clearFaults: () => Promise<void>;
  /** How a step inside a node image goes from now on; null: well. */
  readonly setStep: (step: string, behaviour: StepBehaviour | null) => Promise<void>;
  /** The steps that nodes have come to. */
  readonly steps: () => Promise<readonly { readonly node: string; readonly step: string }[]>;
  /** The arguments of every call of `exec` so far. */
  readonly calls: readonly (readonly string[])[];
}

export function containerControl(machine: Machine, calls: readonly (readonly string[])[]): ContainerControl {
  const { store } = machine;
  return {
    calls,
    instances: async () => {
      await noticeEnds(machine);
      return Object.values((await store.read()).containers).map(seen);
    },
    volumes: async () => Object.keys((await store.read()).volumes),
    changes: async () => (await store.read()).changes,
    addUnmanaged: async (name = `unmanaged-${randomUUID().slice(0, 8)}`) => {
      await store.update((draft) => {
        draft.containers[name] = unmanagedContainer(name, machine.clock.now());
      });
      return name;
    },
    hasUnmanaged: async (name) => (await store.read()).containers[name] !== undefined,
    crash: (name) => halt(machine, name),
    remove: (name) => removeContainer(machine, name),
    forgetStart: async (name) => {
      await halt(machine, name);
      await store.update((draft) => {
        delete draft.containers[name]?.startedAt;
      });
    },
    restartDaemon: async () => {
      for (const id of Object.keys((await store.read()).containers)) await halt(machine, id);
      await store.update((draft) => {
        for (const record of Object.values(draft.containers)) delete record.startedAt;
      });
    },
    setService: (service) => store.update((draft) => void (draft.service = service)),
    setVersion: (version, macos) => store.update((draft) => void Object.assign(draft, { version, macos })),
    publish: (reference) => store.update((draft) => void (draft.published = [...draft.published, reference])),
    addFaults: (...faults) =>
      store.update((draft) => void draft.faults.push(...faults.map((fault) => ({ ...fault, left: fault.times ?? 1 })))),
    clearFaults: () => store.update((draft) => void (draft.faults = [])),
    setStep: (step, behaviour) =>
      store.update((draft) => {
        if (behaviour === null) delete draft.steps[step];
        else draft.steps[step] = behaviour;
      }),
    steps: async () => (await store.read()).reached,
  };
}

function seen({ id, labels, sandbox, startedAt, ipv4 }: ContainerRecord): SeenContainer {
  const label = (name: string): string | null => {
    const value = labels[`${OURS}${name}`];
    return value === undefined ? null : decodeLabel(value);
  };
  const stopped = startedAt === undefined ? "created" : "exited";
  return {
    nativeId: id,
    owner: label("owner"),
    key: label("key"),
    cluster: label("cluster"),
    live: true,
    status: sandbox === undefined ? stopped : "running",
    ipv4: ipv4 ?? null,
    labels,
  };
}

function unmanagedContainer(id: string, now: number): ContainerRecord {
  return {
    id,
    image: "docker.io/library/alpine:latest",
    labels: { somebody: digestOf(id).slice(0, 8) },
    cpus: 4,
    memoryBytes: 1024 ** 3,
    ports: [],
    mounts: [],
    network: "default",
    environment: [],
    argv: ["sleep", "infinity"],
    capAdd: [],
    useInit: false,
    removeAfter: false,
    createdAt: now,
    startedAt: now,
  };
}
