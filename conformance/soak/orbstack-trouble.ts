import type { Fault } from "@slipway/provider-kit/emulator";
import type { ChaosPlan } from "@slipway/provider-orbstack/chaos";

const OFTEN = Number.POSITIVE_INFINITY;

/** What `orbctl` does wrong, in its own words, by the contract's methods. */
export const COMMAND_FAULTS: readonly Fault[] = [
  { operation: "spawn", when: "reply-lost", probability: 0.06 },
  { operation: "spawn", when: "before", row: "image-index", probability: 0.05 },
  { operation: "spawn", when: "before", row: "no-address", probability: 0.04 },
  { operation: "spawn", when: "before", row: "machine-crashed", probability: 0.03 },
  { operation: "spawn", when: "after", row: "unknown", probability: 0.06 },
  { operation: "terminate", when: "reply-lost", probability: 0.06 },
  { operation: "terminate", when: "before", row: "in-transition", probability: 0.05 },
  { operation: "terminate", when: "after", row: "client-crashed", probability: 0.05 },
  { operation: "get", when: "before", row: "services-late", probability: 0.03 },
  { operation: "get", when: "reply-lost", probability: 0.02 },
  { operation: "list", when: "reply-lost", probability: 0.03 },
  { operation: "exec", when: "before", row: "services-late", probability: 0.05 },
  { operation: "exec", when: "reply-lost", probability: 0.04 },
  { operation: "createSnapshot", when: "reply-lost", probability: 0.15 },
].map((fault) => ({ ...fault, times: OFTEN }) as Fault);

/** What goes wrong between the provider and its caller, and at the Mac. */
export const PLAN: ChaosPlan = {
  faults: [
    { operation: "spawn", when: "after", code: "UNAVAILABLE", probability: 0.06 },
    { operation: "spawn", when: "reply-lost", probability: 0.06 },
    { operation: "spawn", when: "before", code: "RATE_LIMIT_ERROR", probability: 0.04 },
    { operation: "terminate", when: "reply-lost", probability: 0.06 },
    { operation: "terminate", when: "before", code: "BUSY", probability: 0.04 },
    { operation: "get", when: "stale-read", probability: 0.08 },
    { operation: "get", when: "delayed", delayMs: 1_500, probability: 0.05 },
    { operation: "list", when: "stale-read", probability: 0.08 },
    { operation: "list", when: "before", code: "NETWORK", probability: 0.04 },
    { operation: "createSnapshot", when: "after", code: "INTERNAL", probability: 0.1 },
  ],
  constraints: { maxInstances: 5 },
  drift: [
    { operation: "get", action: "stop", probability: 0.08 },
    { operation: "spawn", action: "remove", probability: 0.04 },
    { operation: "get", action: "rename", probability: 0.05 },
    { operation: "list", action: "addStranger", probability: 0.05 },
    { operation: "list", action: "changeAddress", probability: 0.1 },
  ],
};

export function faultKind({ operation, when, row }: Pick<Fault, "operation" | "when" | "row">): string {
  return `orbctl ${operation} ${when}${row === undefined ? "" : ` ${row}`}`;
}

/** Every kind that a run can place: one that never comes shows that the storm is not one. */
export function allKinds(): readonly string[] {
  return [
    ...COMMAND_FAULTS.map(faultKind),
    ...(PLAN.faults ?? []).map((fault) =>
      callKind(fault.operation, fault.when, "code" in fault ? fault.code : undefined),
    ),
    ...(PLAN.drift ?? []).map(({ action }) => `drift ${action}`),
    "constraint QUOTA_EXCEEDED",
  ];
}

export function callKind(operation: string, when: string, code?: string): string {
  return `call ${operation} ${when}${code === undefined ? "" : ` ${code}`}`;
}
