import { type BootstrapTruth, isProviderError } from "@slipway/core";
import { lookInside } from "@slipway/provider-kit/bootstrap";
import type { Call } from "@slipway/provider-kit/driver";
import type { Machine } from "../driver.ts";
import { MAIN_CONTAINER } from "../instance.ts";
import { bootstrapSecretOf } from "../pod.ts";
import { statusOf } from "../statuses.ts";
import { execInside, type Inside } from "./exec.ts";

// The bootstrap is the first that a container prints of: what its script prints goes into a file of the container.
const FIRST_BYTES = "4096";
const ENDED = /^slipway-bootstrap: exit code (\d{1,3})$/m;

/**
 * How the bootstrap of a pod goes; null for a pod without one. The sentinel in a container that runs, with the last lines; of
 * one that has ended the log remembers the exit code alone. A `get` does not look: it would cost it a command.
 */
export async function readBootstrapOf(inside: Inside, call: Call, machine: Machine): Promise<BootstrapTruth | null> {
  if (bootstrapSecretOf(machine.pod) === undefined) return null;
  const { status } = statusOf(machine.pod);
  if (status === "pending") return { state: "pending" };
  try {
    if (status === "running") return await lookInside((argv) => execInside(inside, call, machine, argv, {}));
  } catch (error) {
    // It has ended since its pod was read.
    if (!isProviderError(error, "INVALID_STATE")) throw error;
  }
  const code = ENDED.exec(await beginningOfLog(call, machine))?.[1];
  if (code === undefined) return { state: "unknown" };
  return { state: code === "0" ? "succeeded" : "failed", exitCode: Number(code) };
}

/** Empty where the container never ran. */
async function beginningOfLog(call: Call, { client, pod }: Machine): Promise<string> {
  const query = [
    ["container", MAIN_CONTAINER],
    ["limitBytes", FIRST_BYTES],
  ] as const;
  try {
    return await new Response(await client.log(call, pod.metadata.name, query)).text();
  } catch (error) {
    if (!isProviderError(error, "INVALID_STATE")) throw error;
    return "";
  }
}
