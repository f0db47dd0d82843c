import type { Clock } from "@slipway/core";
import type { Machines } from "@slipway/provider-kit/emulator";

/** What an emulator is like. Times are milliseconds. */
export interface GcpEmulatorSettings {
  /** The only source of time; a simulated one that passes by itself if absent. */
  readonly clock?: Clock | undefined;
  /** Decides numbers, and where faults with a probability stand. */
  readonly seed?: number | undefined;
  readonly project?: string | undefined;
  /** Access tokens that are let in. */
  readonly tokens?: readonly string[] | undefined;
  /** One way of every request; 5. */
  readonly latencyMs?: number | undefined;
  /** Aggregated lists miss each write for so long; 0. Reads of one instance do not lag. */
  readonly listLagMs?: number | undefined;
  /** From an insert to the end of its operation; 15 000. */
  readonly insertMs?: number | undefined;
  /** From an insert to the end of an operation that fails; 20 000. */
  readonly failMs?: number | undefined;
  /** From an insert to the first sight of the instance; 500. */
  readonly visibleMs?: number | undefined;
  /** How long an operation is PENDING; 200. */
  readonly pendingMs?: number | undefined;
  /** How long a new operation is unknown to reads; 0. */
  readonly operationLagMs?: number | undefined;
  /** From a delete to its end; 10 000. */
  readonly deleteMs?: number | undefined;
  /** How long before the end of its deletion an instance is a 404 already, while its name is held; 0. */
  readonly goneBeforeDoneMs?: number | undefined;
  /** Whether `wait` answers at once, as it may under load; false. */
  readonly waitReturnsEarly?: boolean | undefined;
  /** Whether a name conflict shows in the operation and not in the insert's answer; false. */
  readonly conflictInOperation?: boolean | undefined;
  /** How long a request id is remembered; an hour. */
  readonly requestIdMs?: number | undefined;
  /** Instances of one machine type in one zone, where `setCapacity` says nothing; 10 000. */
  readonly capacity?: number | undefined;
  /** The most instances of a region; 10 000. */
  readonly instanceQuota?: number | undefined;
  /** Requests of each group of methods in a minute, and the operations at once; null for none, which is what it is if absent. */
  readonly limits?: { readonly requestsPerMinute: number; readonly concurrentOperations: number } | null | undefined;
  /** The most that one page holds, whatever is asked for; 500. */
  readonly pageSize?: number | undefined;
  /** Puts an empty page before each page of a list; false. */
  readonly emptyPages?: boolean | undefined;
  /** What really runs behind each instance; nothing if absent or null. With null no instance shows an address. */
  readonly machines?: Machines | null | undefined;
}

type Given = Omit<GcpEmulatorSettings, "clock" | "limits" | "machines">;

export type ResolvedSettings = { readonly [K in keyof Given]-?: NonNullable<Given[K]> } & {
  readonly limits: { readonly requestsPerMinute: number; readonly concurrentOperations: number } | null;
  readonly machines: Machines | null;
  /** Whether instances without a machine show an address all the same. */
  readonly isReachable: boolean;
};

/** The token that an emulator takes where `tokens` names none. */
export const EMULATOR_TOKEN = "gcp-emulator-token";
/** Its project where none is given. */
export const EMULATOR_PROJECT = "slipway-emulator";

export function resolved(settings: GcpEmulatorSettings): ResolvedSettings {
  return {
    seed: settings.seed ?? 1,
    project: settings.project ?? EMULATOR_PROJECT,
    tokens: settings.tokens ?? [EMULATOR_TOKEN],
    latencyMs: settings.latencyMs ?? 5,
    listLagMs: settings.listLagMs ?? 0,
    insertMs: settings.insertMs ?? 15_000,
    failMs: settings.failMs ?? 20_000,
    visibleMs: settings.visibleMs ?? 500,
    pendingMs: settings.pendingMs ?? 200,
    operationLagMs: settings.operationLagMs ?? 0,
    deleteMs: settings.deleteMs ?? 10_000,
    goneBeforeDoneMs: settings.goneBeforeDoneMs ?? 0,
    waitReturnsEarly: settings.waitReturnsEarly ?? false,
    conflictInOperation: settings.conflictInOperation ?? false,
    requestIdMs: settings.requestIdMs ?? 3_600_000,
    capacity: settings.capacity ?? 10_000,
    instanceQuota: settings.instanceQuota ?? 10_000,
    limits: settings.limits ?? null,
    pageSize: settings.pageSize ?? 500,
    emptyPages: settings.emptyPages ?? false,
    machines: settings.machines ?? null,
    isReachable: settings.machines !== null,
  };
}
