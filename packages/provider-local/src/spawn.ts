import { mkdir } from "node:fs/promises";
import { abortError, isProviderError, type Logger, nameFor, timestamp } from "@slipway/core";
import {
  endSandbox,
  findSandbox,
  type IsolationReport,
  type Sandbox,
  type SandboxBind,
  sandboxLayout,
  startSandbox,
} from "@slipway/provider-kit/sandbox";
import { bootstrapProgress, INIT_SCRIPT, placeBootstrap } from "./bootstrap-run.ts";
import { restorable, restore } from "./capabilities/snapshot-restore.ts";
import { attachable, bindsOf, linkVolumes } from "./capabilities/volume-attachment.ts";
import { type LocalContext, newId } from "./context.ts";
import { failure, PROVIDER_NAME, translated } from "./errors.ts";
import { failpoint, waitsForBootstrap } from "./failpoint.ts";
import { type LocalInstance, materialize, sight } from "./instance.ts";
import type { LocalRequest } from "./request.ts";
import type { InstanceRecord } from "./state/records.ts";
import { sandboxOf } from "./state/state.ts";
import { removeInstance } from "./terminate.ts";

/** Every row of CONTRACT §1's table of a repeated key: one process at a time decides, under the name's lock. */
export async function spawnLocal(context: LocalContext, request: LocalRequest): Promise<LocalInstance> {
  const { state, owner } = context;
  const name = nameFor(owner, request.key);
  const call = { operation: "spawn", signal: request.options.signal };
  const done = stepTimes(context.log);
  const record = await state.locked("instances", name, call, async () => {
    done("lock");
    try {
      const existing = await state.instances.read(name, "spawn");
      if (existing !== null) {
        const kept = await keep(context, name, existing, request);
        if (kept !== null) return kept;
        await removeInstance(state, name, existing);
      }
      return await make(context, name, request, done);
    } catch (error) {
      throw translated(error, "spawn", "none");
    }
  });
  const instance = await materialize(state, record);
  done("status");
  return instance;
}

/** The instance that stands under the key, completed if its spawn was cut off; null if a new one is to be made. */
async function keep(
  { state }: LocalContext,
  name: string,
  existing: InstanceRecord,
  request: LocalRequest,
): Promise<InstanceRecord | null> {
  const { status } = await sight(state, existing);
  if (status === "terminated") return null;
  if (existing.specHash !== request.specHash) {
    const message = `the key ${JSON.stringify(request.key)} stands for ${existing.id}, which has another spec`;
    throw failure("other-spec", "spawn", message, { id: existing.id });
  }
  if (existing.process !== null) return existing;
  const begun = await findSandbox(sandboxOf(state, name, existing));
  if (begun === null) return null;
  const completed = { ...existing, process: begun.process };
  await state.instances.update(name, completed);
  return completed;
}

/**
 * The order is what makes it safe: the intent is durable before anything is started; what is started knows its id; and
 * what fails is undone before the error is thrown.
 */
async function make(
  context: LocalContext,
  name: string,
  request: LocalRequest,
  done: (step: SpawnStep) => void,
): Promise<InstanceRecord> {
  const { state } = context;
  const { signal } = request.options;
  const isolation = await isolationFor(context, request);
  const source = await restorable(context, request.options.fromSnapshot);
  failpoint("before-intent");
  const intent = await attachable(context, request, async () => {
    const record = await intentOf(context, name, request, isolation);
    assertWanted(signal);
    await state.instances.create(name, record);
    return record;
  });
  done("intent");
  failpoint("after-intent");
  try {
    const directory = state.instances.directoryOf(name);
    const layout = sandboxLayout(directory);
    if (source !== null) await restore(source, layout.root, isolation, signal);
    await mkdir(layout.run, { mode: 0o700 });
    if (request.script !== null) await placeBootstrap(directory, request.script.content);
    const binds = bindsOf(state, intent.volumes);
    if (isolation.isolation === "process-group") await linkVolumes(layout.root, binds);
    assertWanted(signal);
    done("files");
    const sandbox = await start(isolation, directory, intent, isolation.isolation === "bubblewrap" ? binds : []);
    done("sandbox");
    failpoint("after-sandbox");
    const made = { ...intent, process: sandbox.process };
    await state.instances.update(name, made);
    done("record");
    failpoint("after-record");
    if (intent.bootstrap !== undefined && waitsForBootstrap()) await passBootstrap(context, directory);
    return made;
  } catch (error) {
    throw await undoSpawn(context, name, intent, error);
  }
}

function start(
  isolation: IsolationReport,
  directory: string,
  intent: InstanceRecord,
  binds: readonly SandboxBind[],
): Promise<Sandbox> {
  return startSandbox({
    id: intent.id,
    directory,
    isolation,
    argv: ["/bin/sh", "-c", INIT_SCRIPT, "slipway-init", secondsOf(intent.terminateBy)],
    hostname: hostnameOf(intent),
    network: intent.network,
    binds,
  });
}

async function isolationFor(context: LocalContext, request: LocalRequest): Promise<IsolationReport> {
  const report = await context.isolation();
  if (request.network === "isolated" && report.isolation !== "bubblewrap") {
    throw failure("no-sandbox", "spawn", `an isolated network needs bubblewrap, and ${report.reason}`);
  }
  return report;
}

async function intentOf(
  context: LocalContext,
  name: string,
  { options, key, specHash, script, secrets, network }: LocalRequest,
  { isolation }: IsolationReport,
): Promise<InstanceRecord> {
  return {
    version: 1,
    id: newId(name),
    owner: context.owner,
    key,
    createdAt: timestamp(context.clock),
    specHash,
    ...(options.name === undefined ? {} : { displayName: options.name }),
    labels: { ...options.labels },
    ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    ...(options.terminateBy === undefined ? {} : { terminateBy: options.terminateBy }),
    network,
    isolation,
    volumes: (options.volumes ?? []).map(({ id, mountPath }) => ({ id, mountPath })),
    ...(script === null ? {} : { bootstrap: { checksum: script.checksum, secrets: [...secrets] } }),
    process: null,
  };
}

/** Since 1970 and rounded up, so that nothing ends too early; empty without a time. */
function secondsOf(time: string | undefined): string {
  return time === undefined ? "" : String(Math.ceil(Date.parse(time) / 1_000));
}

/** The display name where it can be a host name, else the id. */
function hostnameOf({ displayName, id }: InstanceRecord): string {
  return displayName !== undefined && /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(displayName)
    ? displayName
    : id;
}

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw abortError(signal, { provider: PROVIDER_NAME, operation: "spawn", effect: "none" });
}

/** Removes what was begun. If that fails too, the error says that something may be left; a repeat finds it by its record. */
async function undoSpawn(
  context: LocalContext,
  name: string,
  intent: InstanceRecord,
  error: unknown,
): Promise<unknown> {
  try {
    await endSandbox(sandboxOf(context.state, name, intent));
    await context.state.instances.remove(name);
    return error;
  } catch (second) {
    context.log.warn("a failed spawn could not be undone", { id: intent.id });
    return isProviderError(error) ? translated(second, "spawn", "unknown") : translated(error, "spawn", "unknown");
  }
}

/** For tests only: the failpoint that lies after the caller's last step. */
async function passBootstrap({ clock }: LocalContext, directory: string): Promise<void> {
  while (bootstrapProgress(directory, true)?.state === "pending") await clock.sleep(1);
  failpoint("during-bootstrap");
}

/** Where the time of a spawn goes, in order. The bootstrap is not in it. */
type SpawnStep = "lock" | "intent" | "files" | "sandbox" | "record" | "status";

/** Tells the log how long each step took, milliseconds, as `spawn step` at the debug level. */
function stepTimes(log: Logger): (step: SpawnStep) => void {
  let begun = performance.now();
  return (step) => {
    const now = performance.now();
    log.debug("spawn step", { step, ms: now - begun });
    begun = now;
  };
}
