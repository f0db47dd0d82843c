import { describe, expect, test } from "vitest";
import { STATUS_ROWS, statusOf } from "../src/statuses.ts";
import { podAnswer } from "../src/wire.ts";
import captured from "./captured/pods.json" with { type: "json" };
import { type PodParts, podOf } from "./pods.ts";

const main = (state: object): object => ({
  containerStatuses: [{ name: "main", image: "debian", imageID: "", ready: false, restartCount: 0, state }],
});
/** Beside another container, which the kubelet names first. */
const besides = (parts: object, state: object): object => ({
  ...parts,
  containerStatuses: [
    { name: "a-proxy", state: { running: { startedAt: "2026-11-29T08:00:01Z" } } },
    { name: "main", state },
  ],
});
const failed = (reason: string, message: string): object => ({ phase: "Failed", reason, message });
const ended = (phase: string, reason: string, exitCode: number, message?: string): object => ({
  phase,
  ...main({ terminated: { exitCode, reason, message, startedAt: "2026-11-29T08:00:01Z", finishedAt: null } }),
});
const waits = (reason: string, message: string): object => ({
  phase: "Pending",
  ...main({ waiting: { reason, message } }),
});

interface Fixture extends PodParts {
  readonly row: string;
  readonly told?: object;
}

// As a kubelet and a scheduler of 1.37 report them.
const FIXTURES: readonly Fixture[] = [
  { row: "deleting", metadata: { deletionTimestamp: "2026-11-29T08:01:00Z" }, status: { phase: "Running" } },
  {
    row: "deleting",
    metadata: { deletionTimestamp: "2026-11-29T08:01:00Z", finalizers: ["example.com/guard"] },
    told: { code: "Finalizer", message: expect.stringContaining("example.com/guard") },
  },
  {
    row: "evicted",
    status: failed("Evicted", "The node was low on resource: memory."),
    told: { code: "Evicted", message: "The node was low on resource: memory." },
  },
  {
    row: "deadline",
    status: failed("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"),
    told: { code: "DeadlineExceeded" },
  },
  {
    row: "refused-by-node",
    status: failed("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500000"),
    told: { code: "OutOfcpu" },
  },
  { row: "refused-by-node", status: failed("UnexpectedAdmissionError", "Allocate failed"), told: {} },
  {
    row: "node-shutdown",
    status: failed("Terminated", "Pod was terminated in response to imminent node shutdown."),
    told: { code: "Terminated" },
  },
  {
    row: "disrupted",
    status: {
      phase: "Failed",
      conditions: [
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: "PodGC: node no longer exists",
        },
      ],
    },
    told: { code: "DeletionByPodGC", message: "PodGC: node no longer exists" },
  },
  {
    row: "never-started",
    status: ended("Failed", "ContainerStatusUnknown", 137),
    told: { code: "ContainerStatusUnknown" },
  },
  {
    row: "start-error",
    status: ended("Failed", "StartError", 128, 'exec: "nope": executable file not found in $PATH'),
    told: { message: expect.stringContaining("executable file not found") },
  },
  { row: "out-of-memory", status: ended("Failed", "OOMKilled", 137), told: { code: "OOMKilled" } },
  {
    row: "exited",
    status: ended("Failed", "Error", 3, "last words\n"),
    told: { code: "Error", message: "the container ended with exit code 3: last words" },
  },
  { row: "exited", status: ended("Succeeded", "Completed", 0), told: { code: "Completed" } },
  { row: "failed", status: { phase: "Failed" }, told: { code: "failed" } },
  { row: "succeeded", status: { phase: "Succeeded" }, told: { code: "succeeded" } },
  {
    row: "wrong-image",
    status: waits("InvalidImageName", "couldn't parse image name"),
    told: { code: "InvalidImageName", message: "couldn't parse image name" },
  },
  { row: "wrong-image", status: waits("ErrImageNeverPull", "is not present with pull policy of Never"), told: {} },
  { row: "crash-loop", status: { ...waits("CrashLoopBackOff", "back-off 10s"), phase: "Running" }, told: {} },
  {
    row: "image",
    status: waits("ImagePullBackOff", 'Back-off pulling image "nope"'),
    told: { code: "ImagePullBackOff" },
  },
  {
    row: "image",
    status: besides({ phase: "Pending" }, { waiting: { reason: "ErrImagePull", message: "no such image" } }),
    told: { code: "ErrImagePull", message: "no such image" },
  },
  {
    row: "out-of-memory",
    status: besides({ phase: "Failed" }, { terminated: { exitCode: 137, reason: "OOMKilled" } }),
    told: { code: "OOMKilled" },
  },
  { row: "container-config", status: waits("CreateContainerConfigError", 'secret "nope" not found'), told: {} },
  {
    row: "not-scheduled",
    status: {
      phase: "Pending",
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/1 nodes are available: 1 Insufficient cpu.",
        },
      ],
    },
    told: { code: "Unschedulable", message: "0/1 nodes are available: 1 Insufficient cpu." },
  },
  {
    row: "not-scheduled",
    status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    told: { code: "SchedulingGated" },
  },
  { row: "pending", status: waits("ContainerCreating", ""), told: { code: "ContainerCreating" } },
  { row: "pending", status: { phase: "Pending" } },
  { row: "running", status: { phase: "Running", ...main({ running: { startedAt: "2026-11-29T08:00:01Z" } }) } },
  { row: "unknown", status: { phase: "Unknown" }, told: { code: "unknown" } },
  { row: "unknown", told: { code: "unknown" } },
];

describe("the table of statuses", () => {
  test.each(FIXTURES.map((fixture) => [fixture.row, fixture] as const))("%s", (row, { told, ...parts }) => {
    const found = statusOf(podOf(parts));
    expect(found.row.id).toBe(row);
    if (told === undefined) expect(found.reason).toBeUndefined();
    else expect(found.reason).toMatchObject(told);
  });

  // test/cluster/statuses.cluster.ts has brought the pods into these states, and kept what the API server answered.
  test.each(Object.entries(captured))("%s, as a real node reports it", (row, pod) => {
    const found = statusOf(podAnswer.parse(pod));
    expect(found.row.id).toBe(row);
    if (["running", "deleting", "pending"].includes(row)) expect(found.reason).toBeUndefined();
    else expect(found.reason?.message).toMatch(/\S/);
  });

  test("every row has a fixture, and says why where it is an end", () => {
    expect(STATUS_ROWS.map(({ id }) => id).filter((id) => !FIXTURES.some(({ row }) => row === id))).toEqual([]);
    for (const { row, told } of FIXTURES) {
      const { status } = STATUS_ROWS.find(({ id }) => id === row) ?? {};
      if (status === "error" || status === "terminated") expect(told, row).toBeDefined();
    }
  });
});
