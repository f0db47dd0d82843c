import { SandboxError } from "./layout.ts";
import { linuxProcessTable } from "./linux-process-table.ts";
import { type ProcessTable, psProcessTable } from "./ps-process-table.ts";

/** One process for ever: a process id alone is given again. JSON-safe, to be stored. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** Which set of process ids the pid is from: containers that share a directory have different ones. */
  readonly namespace: string;
}

/** `elsewhere`: its process id is from a set that cannot be seen from here, so nobody here knows. */
export type ProcessState = "alive" | "dead" | "elsewhere";

/** Who has this process id now; null if nobody has. */
export async function identify(pid: number, table?: ProcessTable): Promise<ProcessIdentity | null> {
  const processes = table ?? systemProcessTable();
  const startTime = await processes.startTime(pid);
  if (startTime === null) return null;
  return { pid, startTime, bootId: await processes.bootId(), namespace: processes.namespace() };
}

let self: Promise<ProcessIdentity> | undefined;

/** The running process. */
export function identifySelf(): Promise<ProcessIdentity> {
  self ??= identify(process.pid).then((identity) => {
    if (identity === null) throw new Error("the process table does not list the running process");
    return identity;
  });
  return self;
}

/** Is this very process still there? A zombie is dead; after a restart of the machine every process is. */
export async function processState(identity: ProcessIdentity, table?: ProcessTable): Promise<ProcessState> {
  const processes = table ?? systemProcessTable();
  if (identity.bootId !== (await processes.bootId())) return "dead";
  if (identity.namespace !== processes.namespace()) return "elsewhere";
  return (await processes.startTime(identity.pid)) === identity.startTime ? "alive" : "dead";
}

/** Reads an identity from data that was stored; null if it is not one. */
export function parseProcessIdentity(value: unknown): ProcessIdentity | null {
  if (typeof value !== "object" || value === null) return null;
  const { pid, startTime, bootId, namespace } = value as Readonly<Record<string, unknown>>;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1) return null;
  if (typeof startTime !== "string" || typeof bootId !== "string" || typeof namespace !== "string") return null;
  return { pid, startTime, bootId, namespace };
}

/** The table of the running platform. Throws SandboxError `unsupported` where there is none. */
export function systemProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === "linux") return linuxProcessTable();
  if (platform === "darwin" || platform === "freebsd" || platform === "openbsd") return psProcessTable();
  throw new SandboxError("unsupported", `process groups are not supported on ${platform}; use Linux or macOS`);
}
