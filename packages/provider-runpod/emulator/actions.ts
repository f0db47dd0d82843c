import type { Action } from "./create-request.ts";

const ACTIONS: Readonly<Record<string, readonly Action[]>> = {
  RUNNING: ["stop", "restart", "terminate"],
  EXITED: ["start", "terminate"],
  ERROR: ["start", "terminate"],
  PROVISIONING: ["stop", "terminate"],
  STARTING: ["stop", "terminate"],
};

export function actionsIn(status: string): readonly Action[] {
  return ACTIONS[status] ?? ["terminate"];
}
