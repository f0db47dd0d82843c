import type { Fault } from "@slipway/provider-kit/emulator";
import type { ChaosPlan } from "@slipway/provider-orbstack/chaos";
import type { CommandFault } from "@slipway/provider-orbstack/emulator";

/** What `orbctl` does wrong, in its own words, by the contract's methods: for calls of this process. */
export const COMMAND_FAULTS: readonly { readonly kind: string; readonly fault: Fault }[] = [
  { operation: "spawn", when: "reply-lost", probability: 0.06 } as const,
  { operation: "spawn", when: "before", row: "image-index", probability: 0.05 } as const,
  { operation: "spawn", when: "before", row: "no-address", probability: 0.04 } as const,
  { operation: "spawn", when: "before", row: "machine-crashed", probability: 0.03 } as const,
  { operation: "spawn", when: "after", row: "unknown", probability: 0.06 } as const,
  { operation: "terminate", when: "reply-lost", probability: 0.06 } as const,
  { operation: "terminate", when: "before", row: "in-transition", probability: 0.05 } as const,
  { operation: "terminate", when: "after", row: "client-crashed", probability: 0.05 } as const,
  { operation: "get", when: "before", row: "services-late", probability: 0.03 } as const,
  { operation: "get", when: "reply-lost", probability: 0.02 } as const,
  { operation: "list", when: "reply-lost", probability: 0.03 } as const,
  { operation: "exec", when: "before", row: "services-late", probability: 0.05 } as const,
  { operation: "exec", when: "reply-lost", probability: 0.04 } as const,
  { operation: "createSnapshot", when: "reply-lost", probability: 0.15 } as const,
].map((fault: Fault) => ({
  kind: `orbctl ${fault.operation} ${fault.when}${fault.row === undefined ? "" : ` ${fault.row}`}`,
  fault,
}));

const UNKNOWN = "[-32098] something that nobody has seen\n";
const LATE = "panic: timed out waiting for services to start\n";

/** The same for a program of its own, by subcommands. */
export const PROGRAM_FAULTS: readonly { readonly kind: string; readonly fault: CommandFault }[] = [
  { command: "create", does: "vanish" } as const,
  { command: "create", does: "fail-after", stderr: UNKNOWN } as const,
  { command: "create", does: "fail", stderr: LATE } as const,
  { command: "stop", does: "vanish" } as const,
  { command: "stop", does: "fail-after", stderr: UNKNOWN } as const,
  { command: "delete", does: "vanish" } as const,
  { command: "delete", does: "fail", stderr: UNKNOWN } as const,
  { command: "list", does: "garble" } as const,
  { command: "info", does: "hang" } as const,
  { command: "info", does: "fail", stderr: LATE } as const,
  { command: "run", does: "vanish" } as const,
  { command: "clone", does: "vanish" } as const,
].map((fault: CommandFault) => ({ kind: `program ${fault.command} ${fault.does}`, fault }));

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
    { operation: "list", action: "addUnmanaged", probability: 0.05 },
    { operation: "list", action: "changeAddress", probability: 0.1 },
  ],
};

/** Every kind that a run can place: one that never comes shows that the plan is not whole. */
export function allKinds(commands: readonly { readonly kind: string }[]): readonly string[] {
  return [
    ...commands.map(({ kind }) => kind),
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
