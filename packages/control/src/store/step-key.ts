/**
 * A pure function of the workflow's type, the runId and the step's name, and a valid key of the contract whatever they
 * hold. Without the type, runs of two workflows under one runId would find each other's instances.
 *
 * @example
 * ```ts
 * stepKey("machine", "deploy-7", "launch") === stepKey("cluster", "deploy-7", "launch"); // => false
 * ```
 */
export function stepKey(type: string, runId: string, name: string): string {
  return `wf-${process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(JSON.stringify([type, runId, name]))
    .digest("hex")
    .slice(0, 40)}`;
}

const STEP_KEY = /^wf-[0-9a-f]{40}/;

/** The step's key that a key is, or begins with: a step may make several things. Null for a key that no run made. */
export function stepKeyIn(key: string | null): string | null {
  return STEP_KEY.exec(key ?? "")?.[0] ?? null;
}
