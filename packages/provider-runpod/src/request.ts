import type { Operation, Port, SpawnOptions } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { SpawnRequest } from "@slipway/provider-kit/driver";
import type { RunpodContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { environmentOf } from "./ownership.ts";
import { carrierOf, MAX_USER_DATA_BYTES, START_COMMAND } from "./start-command.ts";
import type { Cloud, CreateBody } from "./wire.ts";

export type RunpodCapability = "gpu" | "multiRegion" | "persistentVolumes";
export type RunpodSpawnOptions = SpawnOptions<RunpodCapability> & {
  /** RunPod's pool; the configured one if absent. */
  readonly cloud?: Cloud | undefined;
};

/** RunPod counts the body as it is sent. */
export const MAX_REQUEST_BYTES = 102_400;
const GIGABYTE = 1_000_000_000;

/** What RunPod is asked for, but for the place. */
export interface Prepared {
  readonly body: Omit<CreateBody, "gpu" | "cpu" | "cloud" | "dataCenterIds" | "mounts">;
  readonly secrets: readonly string[];
}

/** Throws INVALID_SPEC or UNSUPPORTED for what core's and the kit's own checks cannot know. */
export function prepare(
  context: RunpodContext,
  operation: Operation,
  { options, name, ownership, script }: SpawnRequest<RunpodSpawnOptions>,
): Prepared {
  const { sshKeys = [], resources } = options;
  checkMachine(operation, options);
  if (options.name?.includes("\0") === true) throw refusal("INVALID_SPEC", operation, "name holds a NUL character");
  const carrier = script === undefined ? {} : carrierOf(script, operation);
  const body = {
    name,
    image: options.image ?? context.image,
    disk: Math.max(1, Math.ceil((resources?.diskBytes ?? context.diskGb * GIGABYTE) / GIGABYTE)),
    ports: portsOf(options.ports ?? [], operation),
    env: {
      ...environmentOf(ownership),
      ...(sshKeys.length === 0 ? {} : { PUBLIC_KEY: sshKeys.map((each) => each.trim()).join("\n") }),
      ...carrier,
    },
    ...(script === undefined ? {} : { args: START_COMMAND }),
    // With keys of its own a pod gets those; without, the account's.
    ...(sshKeys.length === 0 ? { startSsh: true } : {}),
  };
  checkSize(body, operation);
  return { body, secrets: script === undefined ? [] : bootstrapSecrets(script, ...Object.values(carrier)) };
}

const CLOUDS: readonly unknown[] = ["SECURE", "COMMUNITY"];

export function checkMachine(operation: Operation, { spec, gpu, resources, cloud }: RunpodSpawnOptions): void {
  if (cloud !== undefined && !CLOUDS.includes(cloud)) {
    throw refusal("INVALID_SPEC", operation, "cloud must be one of SECURE, COMMUNITY");
  }
  if (spec === undefined && gpu === undefined && resources === undefined) {
    throw refusal("INVALID_SPEC", operation, "one of spec, gpu and resources is needed", {
      hint: 'RunPod has no default machine: name one as "NVIDIA L4" or "cpu5c-4", or ask for gpu: { type: "L4", count: 1 }.',
    });
  }
  if (gpu !== undefined && (resources?.cpus !== undefined || resources?.memoryBytes !== undefined)) {
    throw refusal("UNSUPPORTED", operation, "resources.cpus and resources.memoryBytes come with the GPU at RunPod", {
      hint: "Ask for diskBytes alone, or leave gpu out.",
    });
  }
}

/** sshd's port is always among them: RunPod has no default. */
function portsOf(ports: readonly Port[], operation: Operation): readonly string[] {
  const wanted = new Set(["22/tcp"]);
  for (const { port, protocol = "tcp", hostPort } of ports) {
    if (protocol !== "tcp") {
      throw refusal("UNSUPPORTED", operation, `ports: ${port}/${protocol}, and a pod has no UDP`);
    }
    if (hostPort !== undefined) {
      throw refusal("UNSUPPORTED", operation, "ports: hostPort cannot be chosen, RunPod maps each port itself", {
        hint: "Read portMappings of the instance.",
      });
    }
    wanted.add(`${port}/tcp`);
  }
  return [...wanted];
}

// What the place adds to the request, in bytes, at most.
const PLACE_BYTES = 512;

function checkSize(body: Prepared["body"], operation: Operation): void {
  const bytes = Buffer.byteLength(JSON.stringify(body)) + PLACE_BYTES;
  if (bytes <= MAX_REQUEST_BYTES) return;
  throw refusal("INVALID_SPEC", operation, `the request has ${bytes} bytes, and RunPod takes ${MAX_REQUEST_BYTES}`, {
    hint: `Shorten labels, sshKeys or the bootstrap; a packed bootstrap alone may have ${MAX_USER_DATA_BYTES}.`,
  });
}
