import type { CreateBody } from "../src/wire.ts";
import { Problem } from "./problem.ts";
import { fields, filled, flag, list, map, matching, mustFit, nullable, oneOf, text, whole } from "./schema.ts";

/** A create as it may come; what the checks below have let through. */
export type CreateRequest = Omit<CreateBody, "gpu" | "image" | "mounts" | "cloud" | "disk" | "ports" | "env"> & {
  readonly image?: string;
  readonly cloud?: CreateBody["cloud"];
  readonly disk?: number;
  readonly ports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly gpu?: {
    readonly id: string;
    readonly count?: number;
    readonly allowedCudaVersions?: readonly string[];
    readonly minCudaVersion?: string;
  };
  readonly mounts?: {
    readonly persistent?: { readonly size: number; readonly path: string };
    readonly network?: readonly { readonly volumeId: string; readonly path: string }[];
  };
  readonly registry?: string | null;
  readonly templateId?: string;
  readonly startJupyter?: boolean;
  readonly globalNetworking?: boolean;
};

const cuda = matching(/^\d+\.\d+$/);
const path = matching(/^\/.+/);

const POD = fields(
  {
    name: filled,
    image: filled,
    gpu: fields({ id: filled, count: whole(1), allowedCudaVersions: list(cuda), minCudaVersion: cuda }, "id"),
    cpu: fields({ id: filled, vcpuCount: whole(2) }, "id", "vcpuCount"),
    cloud: oneOf("SECURE", "COMMUNITY"),
    dataCenterIds: list(filled),
    disk: whole(1),
    mounts: fields({
      persistent: fields({ size: whole(10), path }, "size", "path"),
      network: list(fields({ volumeId: filled, path }, "volumeId", "path"), 1),
    }),
    ports: list(matching(/^\d{1,5}\/(tcp|http)$/)),
    env: map(text, 50),
    args: text,
    registry: nullable(filled),
    templateId: filled,
    startSsh: flag,
    startJupyter: flag,
    globalNetworking: flag,
  },
  "name",
);

/** Throws 422 for what the schema refuses, 400 for what the fields say together. */
export function createRequest(body: unknown): CreateRequest {
  mustFit(body, POD);
  // The schema above has just checked every field.
  const request = body as CreateRequest;
  const { gpu, cpu, mounts, image, templateId } = request;
  if (image === undefined && templateId === undefined) throw new Problem(422, "$: missing property 'image'");
  if ((gpu === undefined) === (cpu === undefined)) throw new Problem(422, "$: exactly one of 'gpu', 'cpu' is required");
  if (cpu !== undefined && !Number.isInteger(Math.log2(cpu.vcpuCount))) {
    throw new Problem(422, "$.cpu.vcpuCount: must be a power of two");
  }
  if (mounts?.persistent !== undefined && mounts.network !== undefined) {
    throw new Problem(400, "mounts.persistent and mounts.network exclude each other");
  }
  if (cpu !== undefined && mounts?.persistent !== undefined) {
    throw new Problem(400, "mounts.persistent is not available for CPU pods");
  }
  if ((gpu?.allowedCudaVersions ?? []).length > 0 && gpu?.minCudaVersion !== undefined) {
    throw new Problem(400, "gpu.allowedCudaVersions and gpu.minCudaVersion exclude each other");
  }
  if (mounts?.network !== undefined && request.cloud === "COMMUNITY") {
    throw new Problem(400, "network volumes are available in Secure Cloud only");
  }
  if (templateId !== undefined) throw new Problem(404, "template not found");
  if (typeof request.registry === "string") throw new Problem(404, "registry not found");
  return request;
}

export interface VolumeRequest {
  readonly name: string;
  readonly size: number;
  readonly dataCenter: string;
}

const VOLUME = fields(
  { name: filled, size: whole(10, 4_096), dataCenter: filled, type: oneOf("STANDARD", "HIGH_PERFORMANCE") },
  "name",
  "size",
  "dataCenter",
);

export function volumeRequest(body: unknown): VolumeRequest {
  mustFit(body, VOLUME);
  // As above.
  return body as VolumeRequest;
}

const SSH_KEYS = fields({ keys: list(matching(/^(ssh|ecdsa|sk)-\S+ \S+/)) }, "keys");

export function sshKeysRequest(body: unknown): readonly string[] {
  mustFit(body, SSH_KEYS);
  // As above.
  return (body as { readonly keys: readonly string[] }).keys;
}

export type Action = "start" | "stop" | "restart" | "terminate";

const ACTION = fields({ action: oneOf("start", "stop", "restart", "terminate") }, "action");

export function actionRequest(body: unknown): Action {
  mustFit(body, ACTION);
  // As above.
  return (body as { readonly action: Action }).action;
}
