import { isProviderError, type ProviderError } from "@slipway/core";
import type { Call, Created, Driver, Refused, SpawnRequest } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { bootstrapState, deliver, INIT_SCRIPT, MAX_BOOTSTRAP_BYTES, render } from "./bootstrap.ts";
import { checkVolumes } from "./capabilities/volumes.ts";
import { type AppleContainerContext, formatId, parseId } from "./context.ts";
import { refusal } from "./errors.ts";
import { publishOf } from "./free-port.ts";
import { type AppleContainerInstance, createdAtOf, isHalfMade, statusOf, toInstance } from "./instance.ts";
import { type AppleContainerSpawnOptions, type Prepared, prepare } from "./request.ts";
import type { RunRequest } from "./run-arguments.ts";
import { labelFault, ownershipOf, tagsOf } from "./tags.ts";
import type { WireContainer } from "./wire.ts";

type Request = SpawnRequest<AppleContainerSpawnOptions, Prepared>;
type AppleContainerDriver = Driver<WireContainer, AppleContainerInstance, AppleContainerSpawnOptions, Prepared>;

/** Containers on this Mac: the service refuses a second one of a name, answers from memory, and may leave half a creation. */
export function appleContainerDriver(context: AppleContainerContext): AppleContainerDriver {
  const { client, image } = context;
  return {
    isId: (id) => parseId(id) !== null,
    identify: (wire) => ({
      id: formatId(wire.id, tagsOf(wire)?.generation ?? ""),
      nativeId: wire.id,
      name: wire.id,
      status: statusOf(wire.status.state),
      ownership: ownershipOf(wire),
      createdAt: createdAtOf(wire),
    }),
    toInstance,
    bootstrap: { format: "shell", maxBytes: MAX_BOOTSTRAP_BYTES, render },
    labelFault,
    specOf: (options) => ({ ...options, image: options.image ?? image }),
    prepare: (call, request) => prepare(context, call.operation, request),

    // The name is the native id: what has a key is found by one question.
    list: async function* (call, { names }) {
      if (names === undefined) yield await client.containers(call);
      else yield (await Promise.all(names.map((name) => client.container(call, name)))).filter((one) => one !== null);
    },
    get: (call, id) => containerOf(context, call, id),
    create: async (call, request) => {
      await checkVolumes(context, call, request.prepared.volumes);
      await client.ensureImage(call, request.prepared.image);
      // The service makes one after the other anyway: so each one's time begins when its turn has come.
      return await context.keyedMutex("run", call, () => makeContainer(context, call, request));
    },
    finish: (call, wire, request) => completed(context, call, wire, request),
    // One more command, for an instance that has a bootstrap and can be asked.
    enrich: async (call, wire, instance) => {
      if (tagsOf(wire)?.bootstrap === undefined || wire.status.state !== "running") return instance;
      const bootstrap = await bootstrapState(client, call, wire.id);
      return bootstrap === undefined ? instance : { ...instance, bootstrap };
    },
    destroy: async (call, _id, wire) => {
      if (wire === null) return "gone";
      const isGone = async (): Promise<boolean> => {
        const now = await client.container(call, wire.id);
        return now === null || tagsOf(now)?.generation !== tagsOf(wire)?.generation;
      };
      await remove(context, call, wire.id, isGone);
      return "accepted";
    },
  };
}

/** The container that an id means; null if it is gone, also where another of the same name has followed. */
export async function containerOf(
  { client }: AppleContainerContext,
  call: Call,
  id: string,
): Promise<WireContainer | null> {
  const parsed = parseId(id);
  if (parsed === null) return null;
  const wire = await client.container(call, parsed.name);
  if (wire === null || parsed.generation === null) return wire;
  return tagsOf(wire)?.generation === parsed.generation ? wire : null;
}

// How long another process may need between its container's creation and its start.
const OTHERS_START_MS = 3_000;
const LOOK_AGAIN_MS = 250;

/** What is there, made whole: started if it never was, and its bootstrap handed over. A stopped one is left as it is. */
async function completed(
  context: AppleContainerContext,
  call: Call,
  wire: WireContainer,
  { name, script }: Request,
): Promise<WireContainer> {
  const { client } = context;
  let now = await started(context, call, wire);
  if (isHalfMade(now)) {
    await client.start(call, name);
    now = await reread(context, call, now);
  }
  if (script !== undefined && now.status.state === "running") {
    const { generation } = tagsOf(now) ?? {};
    await deliver(client, call, name, script, async () => {
      const there = await client.container(call, name);
      return there !== null && tagsOf(there)?.generation === generation;
    });
  }
  return now;
}

/** Another process may be about to start it. */
async function started(
  { client, clock }: AppleContainerContext,
  call: Call,
  wire: WireContainer,
): Promise<WireContainer> {
  let now = wire;
  for (let waited = 0; isHalfMade(now) && waited < OTHERS_START_MS; waited += LOOK_AGAIN_MS) {
    await clock.sleep(LOOK_AGAIN_MS, call.signal);
    now = (await client.container(call, wire.id)) ?? now;
  }
  return now;
}

/** It runs, whatever becomes of this read. */
async function reread({ client }: AppleContainerContext, call: Call, wire: WireContainer): Promise<WireContainer> {
  const running = { ...wire, status: { ...wire.status, state: "running" } };
  return (await client.container(call, wire.id).catch(() => null)) ?? running;
}

const PORT_ATTEMPTS = 4;

async function makeContainer(
  context: AppleContainerContext,
  call: Call,
  request: Request,
): Promise<Created<WireContainer>> {
  for (let attempt = 1; ; attempt++) {
    const asked = await runRequestOf(request);
    try {
      await context.client.run(call, asked);
      return { machine: await reread(context, call, provisional(asked)) };
    } catch (error) {
      if (!isProviderError(error)) throw error;
      const outcome = await afterFailure(context, call, request, error);
      if ("machine" in outcome) return outcome;
      if ("refused" in outcome) return outcome.refused;
      // A port that was free when it was chosen need not be so when it is taken.
      const again = isPortTaken(outcome.error) && request.prepared.ports.some(({ hostPort }) => hostPort === undefined);
      if (!again || attempt === PORT_ATTEMPTS) throw outcome.error;
    }
  }
}

function isPortTaken(error: ProviderError): boolean {
  return error.native?.code === "port-in-use" && error.effect === "none";
}

type Outcome = { readonly machine: WireContainer } | { readonly refused: Refused } | { readonly error: ProviderError };

/** A `run` that failed, or gave no answer, may have made the container all the same: what is there now decides. */
async function afterFailure(
  context: AppleContainerContext,
  call: Call,
  request: Request,
  error: ProviderError,
): Promise<Outcome> {
  const row = error.native?.code;
  if (call.signal?.aborted === true || row === "service-down") return { error };
  let wire: WireContainer | null;
  try {
    wire = await context.client.container(call, request.name);
  } catch {
    return { error };
  }
  if (wire === null) return { error: whereNothingIs(error, request) };
  if (tagsOf(wire)?.generation !== request.prepared.generation)
    return { refused: { error, lookUp: true, retry: false } };
  // Without an answer it may be starting still: `completed` waits, and starts it then.
  if (wire.status.state === "running" || row === undefined) return { machine: wire };
  return { error: await undoSpawn(context, call, wire, error) };
}

/** The command said no, and there is nothing. Without its answer the service may be about to make it. */
function whereNothingIs(error: ProviderError, { name }: Request): ProviderError {
  const row = error.native?.code;
  if (row === "boot-failed") return withEffect(error, "none");
  if (row !== "name-taken") return error;
  return refusal("BUSY", error.operation, `container says that ${name} is in use, and does not show it`, {
    hint: "It is being made or removed: try again in a moment.",
  });
}

/** The command mostly removes what it could not start, and not always. */
async function undoSpawn(
  { client, log }: AppleContainerContext,
  call: Call,
  wire: WireContainer,
  error: ProviderError,
): Promise<ProviderError> {
  try {
    await client.remove(call, wire.id);
    return withEffect(error, "none");
  } catch {
    log.warn("a spawn that failed could not be undone", { name: wire.id });
    return withEffect(error, "unknown");
  }
}

async function runRequestOf({ name, script, prepared }: Request): Promise<RunRequest> {
  const { image, labels, resources, ports, volumes, network } = prepared;
  return {
    name,
    image,
    labels,
    cpus: resources.cpus,
    memoryBytes: resources.memoryBytes,
    publish: await publishOf(ports),
    volumes: volumes.map(({ id, mountPath }) => ({ name: id, path: mountPath })),
    network,
    init: true,
    entrypoint: "/bin/sh",
    argv: ["-c", INIT_SCRIPT, "slipway-init", ...(script === undefined ? [] : ["wait"])],
  };
}

/** What was asked for, until it can be read. */
function provisional({ name, image, labels, publish = [], volumes = [] }: RunRequest): WireContainer {
  return {
    id: name,
    configuration: {
      image: { reference: image },
      labels: { ...labels },
      mounts: volumes.map((volume) => ({ type: { volume: { name: volume.name } }, destination: volume.path })),
      publishedPorts: publish.map(({ hostPort, port, protocol }) => ({
        hostPort,
        containerPort: port,
        proto: protocol,
      })),
    },
    status: { state: "running", networks: [] },
  };
}

/** A removal without an answer is looked up; one that hangs is tried once more with the machine killed. */
async function remove(
  { client }: AppleContainerContext,
  call: Call,
  name: string,
  isGone: () => Promise<boolean>,
): Promise<void> {
  try {
    await client.remove(call, name);
  } catch (error) {
    if (call.signal?.aborted === true || !isProviderError(error)) throw error;
    if (error.native?.code === "service-down") throw error;
    const gone = await isGone().catch(() => {
      throw error;
    });
    if (gone) return;
    if (error.code !== "TIMEOUT" && error.native?.code !== "still-running") throw error;
    // One that does not run cannot be killed, and that is fine.
    await client.kill(call, name).catch(() => undefined);
    await client.remove(call, name);
  }
}
