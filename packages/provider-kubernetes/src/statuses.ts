import type { InstanceStatus } from "@slipway/core";
import type { WirePod } from "./wire.ts";

/** One thing that a pod may say, and what it means. Every condition that is given must hold. */
export interface StatusRow {
  /** Unique; each has a fixture. */
  readonly id: string;
  readonly deleting?: true;
  readonly phase?: readonly string[];
  /** The pod's own reason. */
  readonly reason?: RegExp;
  readonly condition?: { readonly type: string; readonly status: string; readonly reason?: string };
  /** Why the container waits. */
  readonly waiting?: RegExp;
  /** How the container ended. */
  readonly terminated?: RegExp;
  readonly status: InstanceStatus;
  /** What is told where the pod has no word of its own. */
  readonly says?: string;
}

const UNKNOWN: StatusRow = { id: "unknown", status: "unknown", says: "the pod's phase is unknown" };

/** In this order; the first row that fits counts. Whatever a pod leaves out does not fit. */
export const STATUS_ROWS: readonly StatusRow[] = [
  { id: "deleting", deleting: true, status: "terminating" },
  { id: "evicted", phase: ["Failed"], reason: /^Evicted$/, status: "error" },
  { id: "deadline", phase: ["Failed"], reason: /^DeadlineExceeded$/, status: "terminated" },
  {
    id: "refused-by-node",
    phase: ["Failed"],
    reason: /^(OutOf.+|UnexpectedAdmissionError|NodeAffinity|TopologyAffinityError|NodeShutdown|Preempting)$/,
    status: "error",
  },
  { id: "node-shutdown", phase: ["Failed"], reason: /^Terminated$/, status: "error" },
  {
    id: "disrupted",
    phase: ["Failed"],
    condition: { type: "DisruptionTarget", status: "True" },
    status: "error",
  },
  { id: "never-started", phase: ["Failed"], terminated: /^ContainerStatusUnknown$/, status: "error" },
  {
    id: "start-error",
    phase: ["Failed"],
    terminated: /^(StartError|ContainerCannotRun|RunContainerError)$/,
    status: "error",
  },
  { id: "out-of-memory", phase: ["Failed", "Succeeded"], terminated: /^OOMKilled$/, status: "terminated" },
  { id: "exited", phase: ["Failed", "Succeeded"], terminated: /./, status: "terminated" },
  { id: "failed", phase: ["Failed"], status: "error", says: "the pod failed, and does not say why" },
  { id: "succeeded", phase: ["Succeeded"], status: "terminated", says: "the pod's program has ended" },
  { id: "wrong-image", waiting: /^(InvalidImageName|ErrImageNeverPull)$/, status: "error" },
  { id: "crash-loop", waiting: /^CrashLoopBackOff$/, status: "error" },
  // These may heal: an image appears, a Secret is written.
  {
    id: "image",
    waiting: /^(ErrImagePull|ImagePullBackOff|ImageInspectError|RegistryUnavailable)$/,
    status: "pending",
  },
  {
    id: "container-config",
    waiting:
      /^(CreateContainerConfigError|CreateContainerError|PreCreateHookError|PostStartHookError|RunContainerError)$/,
    status: "pending",
  },
  {
    id: "not-scheduled",
    phase: ["Pending"],
    condition: { type: "PodScheduled", status: "False" },
    status: "pending",
  },
  { id: "pending", phase: ["Pending"], status: "pending" },
  { id: "running", phase: ["Running"], status: "running" },
  UNKNOWN,
];

export interface PodStatus {
  readonly row: StatusRow;
  readonly status: InstanceStatus;
  readonly reason: { readonly code: string; readonly message: string } | undefined;
}

/** Where a pod is in its life, and why. */
export function statusOf(pod: WirePod): PodStatus {
  const row = STATUS_ROWS.find((candidate) => fits(candidate, pod)) ?? UNKNOWN;
  return { row, status: row.status, reason: row.status === "running" ? undefined : reasonOf(row, pod) };
}

function fits(row: StatusRow, pod: WirePod): boolean {
  const { status, metadata } = pod;
  const state = mainState(pod);
  return (
    (row.deleting === undefined || metadata.deletionTimestamp !== undefined) &&
    (row.phase === undefined || row.phase.includes(status.phase ?? "")) &&
    (row.reason === undefined || row.reason.test(status.reason ?? "")) &&
    (row.condition === undefined || conditionOf(row, pod) !== undefined) &&
    (row.waiting === undefined || row.waiting.test(state?.waiting?.reason ?? "")) &&
    (row.terminated === undefined || row.terminated.test(state?.terminated?.reason ?? ""))
  );
}

function conditionOf({ condition }: StatusRow, { status }: WirePod) {
  if (condition === undefined) return undefined;
  const { type, status: value, reason } = condition;
  return status.conditions?.find(
    (one) => one.type === type && one.status === value && (reason === undefined || one.reason === reason),
  );
}

function mainState({ status }: WirePod) {
  // By its name, as in pod.ts: the kubelet sorts them, and admission may have put others beside it.
  const all = status.containerStatuses ?? [];
  return (all.find(({ name }) => name === "main") ?? all[0])?.state;
}

/** The remote's own words: of the container, the condition, or the pod. */
function reasonOf(row: StatusRow, pod: WirePod): PodStatus["reason"] {
  const { status, metadata } = pod;
  if (row.deleting === true) {
    const [finalizer] = metadata.finalizers ?? [];
    if (finalizer === undefined) return undefined;
    return { code: "Finalizer", message: `the pod is kept by the finalizer ${finalizer}` };
  }
  const state = mainState(pod);
  const ended = state?.terminated;
  if (row.terminated !== undefined && ended !== undefined) {
    const said = ended.message === undefined ? "" : `: ${ended.message.trim()}`;
    return { code: ended.reason ?? "Ended", message: `the container ended with exit code ${ended.exitCode}${said}` };
  }
  const waiting = row.waiting === undefined && row.id !== "pending" ? undefined : state?.waiting;
  const told = [waiting, conditionOf(row, pod), status].find((one) => one?.reason !== undefined);
  if (told === undefined && row.says === undefined) return undefined;
  const code = told?.reason ?? row.id;
  return { code, message: told?.message ?? row.says ?? code };
}
