import type { Clock, SshEndpoint } from "@slipway/core";
import { type Machines, type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import type { Cloud } from "../src/wire.ts";
import { actionsIn } from "./actions.ts";
import type { Action, CreateRequest, VolumeRequest } from "./create-request.ts";
import { createContainer } from "./machines.ts";
import { NO_INSTANCES, Problem } from "./problem.ts";
import {
  DEFAULT_CPUS,
  DEFAULT_DATA_CENTERS,
  DEFAULT_GPUS,
  DEFAULT_SSH_KEYS,
  DEFAULT_UNITS,
  type EmulatedCpu,
  type EmulatedDataCenter,
  type EmulatedGpu,
  type EmulatedStock,
  type RunpodEmulatorSettings,
} from "./settings.ts";

/** A pod as the emulator keeps it. Its status follows from the clock, unless a test has set one. */
export interface EmulatedPod {
  readonly id: string;
  readonly request: CreateRequest;
  readonly cloud: Cloud;
  readonly dataCenter: string;
  /** What its place has of it, and how much it takes. */
  readonly spec: string;
  readonly units: number;
  readonly cost: number;
  readonly createdAt: number;
  /** Whether it has a key, so that its image starts sshd. Without one it is billed all the same. */
  readonly hasSshd: boolean;
  startedAt: number;
  publicPort: number;
  /** Of the loopback, where a machine stands behind it. */
  readonly address: string | null;
  /** What a test or an action has put in the place of the clock's word. */
  fixed: string | null;
  deletedAt: number | null;
}

export interface EmulatedVolume {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly dataCenter: string;
  readonly createdAt: number;
  deletedAt: number | null;
}

/** A pool that RunPod does not open to the account. */
export type ClosedPool = Pick<EmulatedStock, "spec" | "dataCenter" | "cloud">;

const ID = "abcdefghijklmnopqrstuvwxyz0123456789";

/** What RunPod has and knows. Every write is seen here at once. */
export class World {
  readonly clock: Clock;
  readonly gpus: readonly EmulatedGpu[];
  readonly cpus: readonly EmulatedCpu[];
  readonly dataCenters: readonly EmulatedDataCenter[];
  readonly pods: Map<string, EmulatedPod> = new Map();
  readonly volumes: Map<string, EmulatedVolume> = new Map();
  readonly directAt: RunpodEmulatorSettings["directAt"];
  readonly stock: EmulatedStock[];
  readonly closed: ClosedPool[] = [];
  readonly #machines: Machines | null;
  /** Whether pods without a machine show an address all the same. */
  readonly isReachable: boolean;
  sshKeys: readonly string[];
  balanceUsd: number;
  spendLimitUsdPerHour: number;
  changes = 0;
  readonly #random: SeededRandom;
  readonly #times: { readonly provisionMs: number; readonly pullMs: number; readonly directMs: number };

  constructor(settings: RunpodEmulatorSettings, clock: Clock) {
    this.clock = clock;
    this.gpus = settings.gpus ?? DEFAULT_GPUS;
    this.cpus = settings.cpus ?? DEFAULT_CPUS;
    this.dataCenters = settings.dataCenters ?? DEFAULT_DATA_CENTERS;
    this.directAt = settings.directAt;
    this.#machines = settings.machines ?? null;
    this.isReachable = settings.machines !== null;
    this.stock = [...(settings.stock ?? [])];
    this.sshKeys = settings.sshKeys ?? DEFAULT_SSH_KEYS;
    this.balanceUsd = settings.balanceUsd ?? Number.POSITIVE_INFINITY;
    this.spendLimitUsdPerHour = settings.spendLimitUsdPerHour ?? Number.POSITIVE_INFINITY;
    this.#random = seededRandom(settings.seed ?? 1);
    this.#times = {
      provisionMs: settings.provisionMs ?? 2_000,
      pullMs: settings.pullMs ?? 20_000,
      directMs: settings.directMs ?? 3_000,
    };
  }

  live(): readonly EmulatedPod[] {
    return [...this.pods.values()].filter(({ deletedAt }) => deletedAt === null);
  }

  id(length = 14): string {
    return Array.from({ length }, () => ID.charAt(this.#random.whole(ID.length))).join("");
  }

  /** RUNNING comes before the pod can be reached; `direct` says whether it can. */
  stateOf(pod: EmulatedPod): { readonly status: string; readonly direct: boolean } {
    if (pod.fixed !== null) return { status: pod.fixed, direct: pod.fixed === "RUNNING" };
    const { provisionMs, pullMs, directMs } = this.#times;
    const age = this.clock.now() - pod.startedAt;
    if (age < provisionMs) return { status: "PROVISIONING", direct: false };
    if (age < provisionMs + pullMs) return { status: "STARTING", direct: false };
    return { status: "RUNNING", direct: age >= provisionMs + pullMs + directMs };
  }

  /** Free GPUs, or CPU pods, of a place. A stopped pod holds none. */
  free(spec: string, dataCenter: string, cloud: Cloud): number {
    const fits = (entry: ClosedPool): boolean =>
      (entry.spec ?? spec) === spec &&
      (entry.dataCenter ?? dataCenter) === dataCenter &&
      (entry.cloud ?? cloud) === cloud;
    const units = this.stock.findLast(fits)?.units ?? DEFAULT_UNITS;
    const taken = this.live()
      .filter((pod) => pod.spec === spec && pod.dataCenter === dataCenter && pod.cloud === cloud)
      .filter((pod) => pod.fixed === null || pod.fixed === "RUNNING");
    return units - taken.reduce((sum, pod) => sum + pod.units, 0);
  }

  create(request: CreateRequest): EmulatedPod {
    const { cloud = "SECURE" } = request;
    const { spec, units, cost } = this.#machine(request, cloud);
    this.#checkMoney(cost);
    const dataCenter = this.#place(request, spec, units, cloud);
    const now = this.clock.now();
    const pod: EmulatedPod = {
      id: this.id(),
      request,
      cloud,
      dataCenter,
      spec,
      units,
      cost,
      createdAt: now,
      hasSshd: this.#hasKeys(request),
      startedAt: now,
      publicPort: this.#port(),
      address: this.#machines?.newAddress() ?? null,
      fixed: null,
      deletedAt: null,
    };
    this.pods.set(pod.id, pod);
    this.changes += 1;
    this.#createContainer(pod);
    return pod;
  }

  /** Where sshd of a pod really listens; undefined where nothing is behind it, or not yet. */
  endpointOf({ address, publicPort }: EmulatedPod): SshEndpoint | undefined {
    return address === null ? undefined : this.#machines?.endpoint({ host: address, port: publicPort, user: "root" });
  }

  /** What its container printed. */
  logOf({ id }: EmulatedPod): string {
    return this.#machines?.console(id) ?? "";
  }

  #createContainer(pod: EmulatedPod): void {
    const { id, address, request } = pod;
    if (this.#machines === null || address === null) return;
    createContainer(this.#machines, { id, address, request }, this.sshKeys).catch(() => {
      if (pod.deletedAt === null) pod.fixed = "ERROR";
    });
  }

  /** What a container does not do is its client's to see. */
  #actOnContainer({ id }: EmulatedPod, action: Action): void {
    const acts = { start: this.#machines?.start, stop: this.#machines?.stop, restart: this.#machines?.reboot };
    const work = action === "terminate" ? this.#machines?.end(id) : acts[action]?.(id);
    work?.catch(() => undefined);
  }

  act(pod: EmulatedPod, action: Action): void {
    const { status } = this.stateOf(pod);
    if (!actionsIn(status).includes(action))
      throw new Problem(409, `action '${action}' not allowed in status ${status}`);
    if (action === "terminate") return this.remove(pod);
    if (action === "start" && this.free(pod.spec, pod.dataCenter, pod.cloud) < pod.units) {
      throw new Problem(400, "There are not enough free GPUs on the host machine to start this pod.");
    }
    this.changes += 1;
    this.#actOnContainer(pod, action);
    pod.fixed = action === "stop" ? "EXITED" : null;
    if (action === "stop") return;
    pod.startedAt = this.clock.now();
    pod.publicPort = this.#port();
  }

  remove(pod: EmulatedPod): void {
    pod.deletedAt = this.clock.now();
    this.changes += 1;
    this.#actOnContainer(pod, "terminate");
  }

  createVolume({ name, size, dataCenter }: VolumeRequest): EmulatedVolume {
    const able = this.dataCenters.filter(({ networkVolumes }) => networkVolumes).map(({ id }) => id);
    if (!able.includes(dataCenter)) {
      throw new Problem(
        400,
        `data center ${dataCenter} does not support network volumes; use one of ${able.join(", ")}`,
      );
    }
    const id = this.id(10).toUpperCase();
    const volume = { id, name, size, dataCenter, createdAt: this.clock.now(), deletedAt: null };
    this.volumes.set(id, volume);
    this.changes += 1;
    return volume;
  }

  removeVolume(volume: EmulatedVolume): void {
    if (this.live().some((pod) => mountsOf(pod).includes(volume.id))) {
      throw new Problem(400, "network volume is in use by a pod");
    }
    volume.deletedAt = this.clock.now();
    this.changes += 1;
  }

  #hasKeys({ startSsh = false, env = {} }: CreateRequest): boolean {
    return (env["PUBLIC_KEY"] ?? "") !== "" || (startSsh && this.sshKeys.length > 0);
  }

  #machine(
    request: CreateRequest,
    cloud: Cloud,
  ): { readonly spec: string; readonly units: number; readonly cost: number } {
    const { gpu, cpu } = request;
    if (gpu !== undefined) {
      const type = this.gpus.find(({ id }) => id === gpu.id);
      if (type === undefined) throw new Problem(404, `gpu type '${gpu.id}' not found`);
      const count = gpu.count ?? 1;
      const each = cloud === "SECURE" ? type.price.secure : type.price.community;
      if (each === null || count > type.maxCount) throw new Problem(400, NO_INSTANCES);
      return { spec: type.id, units: count, cost: Math.round(each * count * 1e6) / 1e6 };
    }
    const flavour = this.cpus.find(({ id }) => id === cpu?.id);
    if (flavour === undefined || cpu === undefined) throw new Problem(404, `cpu flavor '${cpu?.id}' not found`);
    if (cpu.vcpuCount > flavour.vcpu.max || cloud === "COMMUNITY") throw new Problem(400, NO_INSTANCES);
    return { spec: flavour.id, units: 1, cost: Math.round(flavour.securePerVcpu * cpu.vcpuCount * 1e6) / 1e6 };
  }

  #checkMoney(cost: number): void {
    if (this.balanceUsd < cost) throw new Problem(402, "insufficient balance");
    const spent = this.live().reduce((sum, pod) => sum + (pod.fixed === "EXITED" ? 0 : pod.cost), 0);
    if (spent + cost > this.spendLimitUsdPerHour) {
      throw new Problem(400, "This pod would exceed your account's spending limit.");
    }
  }

  #place(request: CreateRequest, spec: string, units: number, cloud: Cloud): string {
    const volumeId = request.mounts?.network?.[0]?.volumeId;
    const volume = volumeId === undefined ? undefined : this.volumes.get(volumeId);
    if (volumeId !== undefined && (volume === undefined || volume.deletedAt !== null)) {
      throw new Problem(404, "network volume not found");
    }
    const wanted = request.dataCenterIds ?? [];
    if (volume !== undefined && wanted.length > 0 && !wanted.includes(volume.dataCenter)) {
      throw new Problem(400, `network volume ${volume.id} is in ${volume.dataCenter}: the pod must be there, too`);
    }
    const places = this.dataCenters
      .map(({ id }) => id)
      .filter(
        (id) => (wanted.length === 0 || wanted.includes(id)) && (volume === undefined || volume.dataCenter === id),
      );
    const open = places.filter(
      (id) =>
        !this.closed.some(
          (pool) => (pool.spec ?? spec) === spec && (pool.dataCenter ?? id) === id && (pool.cloud ?? cloud) === cloud,
        ),
    );
    if (places.length > 0 && open.length === 0) throw new Problem(403, "access denied");
    // An unknown data centre looks the same as one without stock.
    const place = open.find((id) => this.free(spec, id, cloud) >= units);
    if (place === undefined) throw new Problem(400, NO_INSTANCES);
    return place;
  }

  #port(): number {
    return 10_000 + this.#random.whole(50_000);
  }
}

function mountsOf(pod: EmulatedPod): readonly string[] {
  return (pod.request.mounts?.network ?? []).map(({ volumeId }) => volumeId);
}
