import { isProviderError, type ProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import { deliver, INIT_SCRIPT } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import { checkVolumes } from "./capabilities/volumes.ts";
import type { AppleContainerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { publishOf } from "./free-port.ts";
import { type AppleContainerInstance, isHalfMade } from "./instance.ts";
import { assertSame, withBootstrap } from "./look-up.ts";
import { marksOf } from "./marks.ts";
import { type AppleContainerRequest, type AppleContainerSpawnOptions, requestOf } from "./request.ts";
import type { RunRequest } from "./run-arguments.ts";
import type { WireContainer } from "./wire.ts";

/**
 * One container for one name: the service itself refuses a second one, so that the rows of a repeated key hold for
 * processes that share nothing but the Mac.
 */
export async function spawnInstance(
  context: AppleContainerContext,
  options: AppleContainerSpawnOptions,
): Promise<AppleContainerInstance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  return await context.inTurn(request.name, call, async () => {
    const found = await context.client.container(call, request.name);
    if (found !== null) {
      assertSame(context, call.operation, found, request);
      return await completed(context, call, found, request);
    }
    await checkVolumes(context, call, request.volumes);
    await context.client.ensureImage(call, request.image);
    // The service makes one after the other anyway: so each one's time begins when its turn has come.
    const made = await context.inTurn("run", call, () => makeContainer(context, call, request));
    return await completed(context, call, made, request);
  });
}

// How long another process may need between its container's creation and its start.
const OTHERS_START_MS = 3_000;
const LOOK_AGAIN_MS = 250;

/** What is there, made whole: started if it never was, and its bootstrap handed over. A stopped one is left as it is. */
async function completed(
  context: AppleContainerContext,
  call: Call,
  wire: WireContainer,
  { name, script }: AppleContainerRequest,
): Promise<AppleContainerInstance> {
  const { client } = context;
  let now = await started(context, call, wire);
  if (isHalfMade(now)) {
    await client.start(call, name);
    now = await reread(context, call, now);
  }
  if (script !== undefined && now.status.state === "running") {
    const { generation } = marksOf(now) ?? {};
    await deliver(client, call, name, script, async () => {
      const there = await client.container(call, name);
      return there !== null && marksOf(there)?.generation === generation;
    });
  }
  return await withBootstrap(context, call, now).catch((error: unknown) => {
    throw isProviderError(error) ? withEffect(error, "applied") : error;
  });
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
  request: AppleContainerRequest,
): Promise<WireContainer> {
  for (let attempt = 1; ; attempt++) {
    const asked = await runRequestOf(request);
    try {
      await context.client.run(call, asked);
      return await reread(context, call, provisional(asked));
    } catch (error) {
      if (!isProviderError(error)) throw error;
      const outcome = await afterFailure(context, call, request, error);
      if ("wire" in outcome) return outcome.wire;
      // A port that was free when it was chosen need not be so when it is taken.
      const again = isPortTaken(outcome.error) && request.ports.some(({ hostPort }) => hostPort === undefined);
      if (!again || attempt === PORT_ATTEMPTS) throw outcome.error;
    }
  }
}

function isPortTaken(error: ProviderError): boolean {
  return error.native?.code === "port-in-use" && error.effect === "none";
}

type Outcome = { readonly wire: WireContainer } | { readonly error: ProviderError };

/** A `run` that failed, or gave no answer, may have made the container all the same: what is there now decides. */
async function afterFailure(
  context: AppleContainerContext,
  call: Call,
  request: AppleContainerRequest,
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
  if (marksOf(wire)?.generation !== request.generation) {
    assertSame(context, call.operation, wire, request);
    return { wire };
  }
  if (wire.status.state === "running") return { wire };
  // Without an answer it may be starting still: `completed` waits, and starts it then.
  if (row === undefined) return { wire };
  return { error: await takenBack(context, call, wire, error) };
}

/** The command said no, and there is nothing. Without its answer the service may be about to make it. */
function whereNothingIs(error: ProviderError, { name }: AppleContainerRequest): ProviderError {
  const row = error.native?.code;
  if (row === "boot-failed") return withEffect(error, "none");
  if (row !== "name-taken") return error;
  return refusal("BUSY", error.operation, `container says that ${name} is in use, and does not show it`, {
    hint: "It is being made or removed: try again in a moment.",
  });
}

/** The command mostly removes what it could not start, and not always. */
async function takenBack(
  { client, log }: AppleContainerContext,
  call: Call,
  wire: WireContainer,
  error: ProviderError,
): Promise<ProviderError> {
  try {
    await client.remove(call, wire.id);
    return withEffect(error, "none");
  } catch {
    log.warn("a spawn that failed could not be taken back", { name: wire.id });
    return withEffect(error, "unknown");
  }
}

async function runRequestOf({ script, resources, ...request }: AppleContainerRequest): Promise<RunRequest> {
  return {
    name: request.name,
    image: request.image,
    labels: request.labels,
    cpus: resources.cpus,
    memoryBytes: resources.memoryBytes,
    publish: await publishOf(request.ports),
    volumes: request.volumes.map(({ id, mountPath }) => ({ name: id, path: mountPath })),
    network: request.network,
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
