import { describe, expect, test } from "vitest";
import { slurmReasons, slurmStates } from "../src/index.ts";
import { statusOf, toInstance } from "../src/instance.ts";
import { reasonRow } from "../src/states.ts";
import { base, job, remote } from "./jobs.ts";

// Written by hand, so that a changed row is a changed test.
const STATES: readonly (readonly [word: string, status: string])[] = [
  ["PENDING", "pending"],
  ["CONFIGURING", "pending"],
  ["POWER_UP_NODE", "pending"],
  ["REQUEUED", "pending"],
  ["REQUEUE_FED", "pending"],
  ["REQUEUE_HOLD", "pending"],
  ["SPECIAL_EXIT", "pending"],
  ["RESV_DEL_HOLD", "pending"],
  ["RUNNING", "running"],
  ["RESIZING", "running"],
  ["SIGNALING", "running"],
  ["EXPEDITING", "running"],
  ["SUSPENDED", "stopped"],
  ["STOPPED", "stopped"],
  ["COMPLETING", "terminating"],
  ["STAGE_OUT", "terminating"],
  ["COMPLETED", "terminated"],
  ["CANCELLED", "terminated"],
  ["REVOKED", "terminated"],
  ["TIMEOUT", "terminated"],
  ["DEADLINE", "terminated"],
  ["PREEMPTED", "terminated"],
  ["FAILED", "error"],
  ["NODE_FAIL", "error"],
  ["BOOT_FAIL", "error"],
  ["OUT_OF_MEMORY", "error"],
  ["LAUNCH_FAILED", "error"],
];

describe("a job's state", () => {
  test.each(STATES)("%s is %s", (state, status) => {
    expect(statusOf(job({ state }))).toBe(status);
    expect(toInstance(job({ state }), base, remote).state).toBe(state);
  });

  test("the table has no other word, and a new word is unknown", () => {
    expect(STATES.map(([word]) => word).toSorted()).toEqual(Object.keys(slurmStates).toSorted());
    expect(statusOf(job({ state: "HIBERNATING" }))).toBe("unknown");
  });

  test("preemption is an interruption, a lost node an error", () => {
    expect(toInstance(job({ state: "PREEMPTED" }), base, remote).statusReason?.code).toBe("SPOT_INTERRUPTED");
    expect(toInstance(job({ state: "NODE_FAIL" }), base, remote).statusReason?.code).toBe("NODE_FAIL");
  });

  test("a record of a refused submission never ran", () => {
    expect(statusOf(job({ state: "FAILED", reason: "BadConstraints" }))).toBe("terminated");
  });

  // COMPLETING hides what a job comes to: reason and times tell.
  test.each([
    [{}, "terminating"],
    [{ reason: "TimeLimit" }, "terminating"],
    [{ reason: "None", used: "0:00", ended: "1700000001" }, "terminating"],
    [{ reason: "None", used: "0:00" }, "pending"],
    [{ reason: "None", used: "0:00", ended: "N/A" }, "pending"],
    [{ reason: "NonZeroExitCode" }, "error"],
    [{ reason: "JobLaunchFailure" }, "error"],
    [{ reason: "RaisedSignal:9(Killed)" }, "error"],
    [{ reason: "NodeDown" }, "error"],
    [{ reason: "OutOfMemory" }, "error"],
    [{ reason: "NonZeroExitCode", isDismissed: true }, "terminating"],
  ] as const)("COMPLETING with %j is %s", (given, status) => {
    expect(statusOf(job({ state: "COMPLETING", ...given }))).toBe(status);
    expect(statusOf(job({ state: "STAGE_OUT", ...given }))).toBe(status);
  });

  test("a failed job that was terminated is terminated", () => {
    const failed = job({ state: "FAILED", reason: "NonZeroExitCode" });
    expect(statusOf(failed)).toBe("error");
    expect(statusOf({ ...failed, isDismissed: true })).toBe("terminated");
  });
});

// `never`: the code with which a spawn is refused.
const REASONS: readonly (readonly [reason: string, never: string | undefined])[] = [
  ["None", undefined],
  ["Priority", undefined],
  ["Resources", undefined],
  ["Licenses", undefined],
  ["Prolog", undefined],
  ["BeginTime", undefined],
  ["JobHeldUser", undefined],
  ["JobHeldAdmin", undefined],
  ["JobArrayTaskLimit", undefined],
  ["PartitionDown", undefined],
  ["PartitionInactive", undefined],
  ["Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions", undefined],
  ["ReqNodeNotAvail, UnavailableNodes:n1", undefined],
  ["AssocGrpCpuLimit", undefined],
  ["AssocMaxJobsLimit", undefined],
  ["AssocGrpCPUMinutesLimit", undefined],
  ["AssociationJobLimit", undefined],
  ["QOSGrpNodeLimit", undefined],
  ["QOSMaxJobsPerUserLimit", undefined],
  ["QOSUsageThreshold", undefined],
  ["PartitionConfig", "INVALID_SPEC"],
  ["PartitionTimeLimit", "INVALID_SPEC"],
  ["PartitionNodeLimit", "INVALID_SPEC"],
  ["BadConstraints", "INVALID_SPEC"],
  ["MaxMemPerLimit", "INVALID_SPEC"],
  ["AccountNotAllowed", "INVALID_SPEC"],
  ["InvalidAccount", "INVALID_SPEC"],
  ["QOSNotAllowed", "INVALID_SPEC"],
  ["InvalidQOS", "INVALID_SPEC"],
  ["DependencyNeverSatisfied", "INVALID_SPEC"],
  ["AssocMaxWallDurationPerJobLimit", "QUOTA_EXCEEDED"],
  ["AssocMaxCpuPerJobLimit", "QUOTA_EXCEEDED"],
  ["QOSMaxWallDurationPerJobLimit", "QUOTA_EXCEEDED"],
  ["QOSMaxCpuPerJobLimit", "QUOTA_EXCEEDED"],
  ["QOSMaxMemoryPerJob", "QUOTA_EXCEEDED"],
  ["QOSMinCpuNotSatisfied", "QUOTA_EXCEEDED"],
  ["QOSMinGRES", "QUOTA_EXCEEDED"],
];

describe("why a job waits", () => {
  test.each(REASONS)("%s", (reason, never) => {
    expect(reasonRow(reason)?.never).toBe(never);
    const { statusReason } = toInstance(job({ state: "PENDING", reason }), base, remote);
    expect(statusReason).toMatchObject({ code: reason.slice(0, 64), message: expect.stringMatching(/./) });
  });

  test("each row is some reason's", () => {
    const rows = new Set(REASONS.map(([reason]) => reasonRow(reason)));
    expect(slurmReasons.filter((row) => !rows.has(row))).toEqual([]);
  });
});
