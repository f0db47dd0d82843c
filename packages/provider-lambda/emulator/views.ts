import { EMULATED_REGIONS, type EmulatedType } from "./catalogue.ts";
import { endedAt, isAlive, type StoredFileSystem, type StoredInstance, statusAt, typeOf, type World } from "./world.ts";

// How the API shows what it holds, as it was at a moment.

/** In the list: also a while after its end. */
export function listedAt(world: World, one: StoredInstance, moment: number): boolean {
  return statusAt(one, moment) !== null && moment < endedAt(one) + world.settings.listedAfterEndMs;
}

export function readableAt(world: World, one: StoredInstance, moment: number): boolean {
  return statusAt(one, moment) !== null && moment < endedAt(one) + world.settings.readableAfterEndMs;
}

export function shownType(type: EmulatedType): object {
  return {
    name: type.name,
    description: type.description,
    gpu_description: type.gpuDescription,
    price_cents_per_hour: type.centsPerHour,
    specs: { vcpus: type.vcpus, memory_gib: type.memoryGib, storage_gib: type.storageGib, gpus: type.gpus },
  };
}

export function shownInstance(world: World, one: StoredInstance, moment: number): object {
  const { request } = one;
  const status = statusAt(one, moment) ?? "booting";
  const type = typeOf(request.instance_type_name);
  const hasAddress = one.ip !== null && moment >= one.launchedAt + world.settings.addressMs && status !== "terminated";
  const ending = status === "terminating" || status === "terminated";
  return {
    id: one.id,
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(hasAddress ? { ip: one.ip } : {}),
    private_ip: `10.19.${one.number >> 8}.${one.number & 255}`,
    status,
    ssh_key_names: request.ssh_key_names,
    file_system_names: namesOf(world, one),
    ...(request.file_system_mounts === undefined ? {} : { file_system_mounts: request.file_system_mounts }),
    region: EMULATED_REGIONS.find(({ name }) => name === request.region_name),
    ...(type === undefined ? {} : { instance_type: shownType(type) }),
    ...(request.image !== undefined && "family" in request.image ? { image: request.image } : {}),
    hostname: request.hostname ?? `host-${one.number}`,
    ...(status === "active"
      ? { jupyter_token: `jupyter-token-of-${one.id}`, jupyter_url: "https://jupyter.example" }
      : {}),
    tags: request.tags ?? [],
    actions: {
      migrate: { available: false },
      rebuild: { available: false },
      restart: { available: status === "active" },
      cold_reboot: { available: status === "active" },
      terminate: ending ? { available: false, reason_code: "vm-is-terminating" } : { available: true },
    },
  };
}

function namesOf(world: World, { request }: StoredInstance): readonly string[] {
  const mounted = (request.file_system_mounts ?? []).map(
    ({ file_system_id: id }) => world.fileSystems.find(({ value }) => value.id === id)?.value.name ?? id,
  );
  return [...new Set([...(request.file_system_names ?? []), ...mounted])];
}

export function shownFileSystem(
  world: World,
  one: StoredFileSystem,
  moment: number,
): { readonly is_in_use: boolean } & Readonly<Record<string, unknown>> {
  const users = [...world.instances.values()].filter((each) => isAlive(each, moment));
  return {
    id: one.id,
    name: one.name,
    mount_point: `/lambda/nfs/${one.name}`,
    created: new Date(one.createdAt).toISOString().replace("Z", "+00:00"),
    created_by: { id: "0".repeat(32), email: "somebody@example.org", status: "active" },
    is_in_use: users.some((each) => namesOf(world, each).includes(one.name)),
    region: EMULATED_REGIONS.find(({ name }) => name === one.region),
    bytes_used: 0,
  };
}
