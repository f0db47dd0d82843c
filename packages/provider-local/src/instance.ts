import { type BootstrapState, type Instance, type InstanceStatus, nameFor } from "@slipway/core";
import {
  findSandbox,
  type Isolation,
  type ProcessIdentity,
  processState,
  sandboxExitCode,
  sandboxLayout,
  systemProcessTable,
} from "@slipway/provider-kit/sandbox";
import { bootstrapProgress, lastLines, wasTimeOver } from "./bootstrap-run.ts";
import { PROVIDER_NAME } from "./errors.ts";
import type { InstanceRecord } from "./state/records.ts";
import { type State, sandboxOf } from "./state/state.ts";

/** An instance on this machine. */
export interface LocalInstance extends Instance {
  /** What stands between it and this machine; `process-group` is no security boundary. */
  readonly isolation: Isolation;
  /** The process whose end is the instance's end; null while there is none. */
  readonly pid: number | null;
  /** What the instance sees as `/` with bubblewrap, and as `$SLIPWAY_ROOT` everywhere. */
  readonly rootDirectory: string;
}

/** What can be seen of an instance now. */
export interface Sighting {
  readonly status: InstanceStatus;
  readonly statusReason?: { readonly code: string; readonly message: string };
  readonly bootstrap?: BootstrapState;
  /** Its main process, if it is alive. */
  readonly process: ProcessIdentity | null;
}

const INTERRUPTED = {
  code: "interrupted",
  message: "its spawn was cut off: spawn the same key again to complete it, or terminate it",
} as const;
const ELSEWHERE = {
  code: "elsewhere",
  message: "it was started in another container that shares the state directory, and cannot be seen from here",
} as const;
const TIME_OVER = { code: "terminate-by", message: "its terminateBy has come" } as const;
const RESTARTED = { code: "restarted", message: "this machine was restarted since it began" } as const;

/** The record and the instance of a name, now. */
export async function materialize(state: State, record: InstanceRecord): Promise<LocalInstance> {
  const directory = directoryOf(state, record);
  const seen = await sight(state, record);
  return {
    id: record.id,
    status: seen.status,
    provider: PROVIDER_NAME,
    nativeId: record.id,
    key: record.key,
    owner: record.owner,
    ...(seen.statusReason === undefined ? {} : { statusReason: seen.statusReason }),
    addresses: {},
    isSpot: false,
    ...(seen.bootstrap === undefined ? {} : { bootstrap: seen.bootstrap }),
    labels: record.labels,
    createdAt: record.createdAt,
    ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }),
    ...(record.terminateBy === undefined ? {} : { terminateBy: { at: record.terminateBy, by: "machine" } as const }),
    isolation: record.isolation,
    pid: seen.process?.pid ?? null,
    rootDirectory: sandboxLayout(directory).root,
  };
}

/** Looks at the processes and the sentinel. Changes nothing. */
export async function sight(state: State, record: InstanceRecord): Promise<Sighting> {
  const directory = directoryOf(state, record);
  const process = record.process ?? (await beginning(state, record));
  const bootstrap = bootstrapProgress(directory, record.bootstrap !== undefined);
  const told = bootstrap === undefined ? {} : { bootstrap };
  if (process === null) return await sightOfIncomplete(state, record, told);
  const life = await processState(process);
  if (life === "elsewhere") return { status: "unknown", statusReason: ELSEWHERE, process: null, ...told };
  if (life === "dead")
    return { status: "terminated", ...(await ending(directory, process)), process: null, ...ended(bootstrap) };
  if (bootstrap?.state !== "failed") return { status: "running", process, ...told };
  const lines = lastLines(directory, record.bootstrap?.secrets ?? []);
  const message = `the bootstrap ended with exit code ${bootstrap.exitCode ?? "unknown"}${lines}`;
  return { status: "error", statusReason: { code: "bootstrap-failed", message }, process, ...told };
}

/** On its way while somebody works on it. */
async function sightOfIncomplete(
  state: State,
  record: InstanceRecord,
  told: Pick<Sighting, "bootstrap">,
): Promise<Sighting> {
  const name = nameFor(record.owner, record.key);
  if (await state.isWorkedOn("instances", name)) return { status: "pending", process: null, ...told };
  // It may have been finished between the two looks.
  const now = await state.instances.read(name, "get");
  if (now?.id === record.id && now.process !== null) return await sight(state, now);
  return { status: "error", statusReason: INTERRUPTED, process: null, ...told };
}

/** The sandbox of a spawn that was cut off before it could write it down. */
async function beginning(state: State, record: InstanceRecord): Promise<ProcessIdentity | null> {
  const name = nameFor(record.owner, record.key);
  return (await findSandbox(sandboxOf(state, name, record)))?.process ?? null;
}

async function ending(directory: string, process: ProcessIdentity): Promise<Pick<Sighting, "statusReason">> {
  if (process.bootId !== (await systemProcessTable().bootId())) return { statusReason: RESTARTED };
  if (wasTimeOver(directory)) return { statusReason: TIME_OVER };
  const exitCode = sandboxExitCode(directory);
  const how = exitCode === null ? "" : ` with exit code ${exitCode}`;
  return { statusReason: { code: "ended", message: `its main process ended${how}, and with it the instance` } };
}

/** A bootstrap that was running when the instance ended will never tell how it ends. */
function ended(bootstrap: BootstrapState | undefined): { bootstrap?: BootstrapState } {
  if (bootstrap === undefined) return {};
  return { bootstrap: bootstrap.exitCode === undefined ? { state: "unknown" } : bootstrap };
}

function directoryOf(state: State, record: InstanceRecord): string {
  return state.instances.directoryOf(nameFor(record.owner, record.key));
}
