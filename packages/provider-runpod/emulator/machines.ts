import type { Machines } from "@slipway/provider-kit/emulator";
import type { CreateRequest } from "./create-request.ts";

// What the emulator does with the containers behind its pods, where there are any.

/** Rejects where it cannot start. */
export async function createContainer(
  machines: Machines,
  pod: { readonly id: string; readonly address: string; readonly request: CreateRequest },
  accountKeys: readonly string[],
): Promise<void> {
  const { env = {}, args, startSsh = false } = pod.request;
  const own = (env["PUBLIC_KEY"] ?? "").split("\n").filter((line) => line.trim() !== "");
  await machines.create({
    id: pod.id,
    address: pod.address,
    userData: args === undefined || args === "" ? "" : commandScript(env, args),
    sshKeys: [...own, ...(startSsh ? accountKeys : [])],
    runsAtEveryStart: true,
  });
}

/** The container's command, as a shell splits it, with its variables. */
function commandScript(env: Readonly<Record<string, string>>, args: string): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  return ["#!/bin/sh", ...exports, `exec ${args}`, ""].join("\n");
}
