import type { Cloud } from "../src/wire.ts";
import { actionsIn } from "./actions.ts";
import { Problem } from "./problem.ts";
import { type EmulatedPod, type EmulatedVolume, type World } from "./world.ts";

/** A pod as RunPod shows it. */
export function podAnswer(world: World, pod: EmulatedPod): object {
  const { request, id } = pod;
  const { status, direct: isUp } = world.stateOf(pod);
  const { host, port } = world.endpointOf(pod) ?? world.directAt?.() ?? { host: "203.0.113.9", port: pod.publicPort };
  const direct = isUp && (pod.address === null ? world.isReachable : world.endpointOf(pod) !== undefined);
  const proxy = {
    host: "ssh.runpod.io",
    port: 22,
    username: `${id}-64411eb2`,
    command: `ssh ${id}-64411eb2@ssh.runpod.io`,
  };
  return {
    id,
    name: request.name,
    status,
    actions: actionsIn(status),
    image: request.image,
    args: request.args ?? "",
    disk: request.disk ?? 50,
    ports: request.ports ?? [],
    env: request.env ?? {},
    registry: request.registry ?? null,
    mounts: request.mounts ?? {},
    ...machineOf(world, pod),
    cloud: pod.cloud,
    dataCenterId: pod.dataCenter,
    cudaVersion: request.gpu === undefined ? null : "12.8",
    ssh: {
      proxy: status === "RUNNING" ? proxy : null,
      direct: direct ? { host, port, username: "root", command: `ssh root@${host} -p ${port}` } : null,
    },
    template: null,
    // Also of a pod that is stopped.
    cost: pod.cost,
    locked: false,
    globalNetworking: { enabled: false },
    runtime: isUp ? runtimeOf(world, pod, host) : null,
    createdAt: new Date(pod.createdAt).toISOString(),
    startedAt: status === "RUNNING" ? new Date(pod.startedAt).toISOString() : null,
  };
}

function machineOf(world: World, { request }: EmulatedPod): object {
  const { gpu, cpu } = request;
  if (gpu !== undefined) {
    const count = gpu.count ?? 1;
    return { gpu: { id: gpu.id, count, vcpuCount: 8 * count, memory: 48 * count } };
  }
  const perVcpu = world.cpus.find(({ id }) => id === cpu?.id)?.ramGbPerVcpu ?? 2;
  return { cpu: { id: cpu?.id, vcpuCount: cpu?.vcpuCount, memory: (cpu?.vcpuCount ?? 0) * perVcpu } };
}

function runtimeOf(world: World, { request, startedAt, publicPort }: EmulatedPod, ip: string): object {
  const { gpu } = request;
  return {
    uptime: Math.floor((world.clock.now() - startedAt) / 1000),
    gpus: Array.from({ length: gpu === undefined ? 0 : (gpu.count ?? 1) }, () => ({ util: 0, memoryUtil: 0 })),
    cpu: { util: 1 },
    memory: { util: 0 },
    ports: (request.ports ?? []).map((port, at) => {
      const [number, type] = port.split("/");
      return type === "http"
        ? { private: Number(number), public: 60_000 + at, type, ip: "100.65.0.7" }
        : { private: Number(number), public: publicPort + at, type, ip };
    }),
  };
}

export function volumeAnswer({ id, name, size, dataCenter }: EmulatedVolume): object {
  return { id, name, size, dataCenter, type: "STANDARD" };
}

function wordFor(free: number, count: number): string {
  if (free < count) return "NONE";
  if (free <= 2) return "LOW";
  return free <= 8 ? "MEDIUM" : "HIGH";
}

const BEST_FIRST = ["HIGH", "MEDIUM", "LOW", "NONE"];

export function gpusAnswer(world: World, query: URLSearchParams): readonly object[] {
  const included = query.get("include");
  const product = query.get("product");
  if (included !== null && product === null) throw new Problem(400, "product is required with include=AVAILABILITY");
  if (included === null && product !== null) throw new Problem(400, "product is only valid with include=AVAILABILITY");
  const cloud = cloudIn(query);
  const count = Number(query.get("count") ?? "1");
  if (!Number.isInteger(count) || count < 1) throw new Problem(422, "count: minimum: want 1");
  return world.gpus.map((gpu) => {
    const offered = (cloud === "SECURE" ? gpu.price.secure : gpu.price.community) !== null;
    const centres = world.dataCenters
      .map(({ id, name }) => ({ id, name, availability: wordFor(offered ? world.free(gpu.id, id, cloud) : 0, count) }))
      .filter(({ availability }) => availability !== "NONE");
    const words = centres.map(({ availability }) => availability);
    return {
      id: gpu.id,
      name: gpu.name,
      pool: null,
      manufacturer: gpu.manufacturer,
      memory: gpu.memory,
      secure: gpu.price.secure !== null,
      community: gpu.price.community !== null,
      price: gpu.price,
      maxCount: { secure: gpu.maxCount, community: gpu.maxCount },
      ...(included === null
        ? {}
        : {
            availability: BEST_FIRST.find((word) => words.includes(word)) ?? "NONE",
            ...(centres.length === 0 ? {} : { dataCenters: centres }),
          }),
    };
  });
}

function cloudIn(query: URLSearchParams): Cloud {
  const cloud = query.get("cloud") ?? "SECURE";
  if (cloud === "SECURE" || cloud === "COMMUNITY") return cloud;
  throw new Problem(422, "cloud: value must be one of 'SECURE', 'COMMUNITY'");
}

export function cpusAnswer(world: World): readonly object[] {
  return world.cpus.map(({ id, name, vcpu, ramGbPerVcpu, securePerVcpu }) => ({
    id,
    name,
    group: "Compute",
    vcpu,
    ramGbPerVcpu,
    price: { securePerVcpu, serverlessPerVcpu: null },
  }));
}

const INCLUDABLE = ["GPU_AVAILABILITY", "CPU_AVAILABILITY"];

export function dataCentersAnswer(world: World, query: URLSearchParams): readonly object[] {
  const included = (query.get("include") ?? "").split(",").filter((word) => word !== "");
  const unknown = included.find((word) => !INCLUDABLE.includes(word));
  if (unknown !== undefined) throw new Problem(422, `include: value must be one of ${INCLUDABLE.join(", ")}`);
  return world.dataCenters.map((centre) => {
    const stockOf = (things: readonly { readonly id: string; readonly name: string }[]): readonly object[] =>
      things.map(({ id, name }) => ({ id, name, availability: wordFor(world.free(id, centre.id, "SECURE"), 1) }));
    return {
      id: centre.id,
      name: centre.name,
      region: centre.region,
      globalNetwork: false,
      networkVolumeTypes: centre.networkVolumes ? ["STANDARD"] : [],
      compliance: [],
      ...(included.includes("GPU_AVAILABILITY") ? { gpuAvailability: stockOf(world.gpus) } : {}),
      ...(included.includes("CPU_AVAILABILITY") ? { cpuAvailability: stockOf(world.cpus) } : {}),
    };
  });
}
