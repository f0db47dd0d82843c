// `npm start` on a Mac with OrbStack, or anywhere with SLIPWAY_ORBCTL pointing at the emulator's program: keeps three
// machines until it is interrupted, and then ends them.
import { setTimeout as pause } from "node:timers/promises";
import { fileStore } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { orbstack } from "@slipway/provider-orbstack";
import { fleet } from "./fleet.ts";

const BETWEEN_TURNS_MS = 10_000;

const over = new AbortController();
// Not `once`: a signal that nobody listens to any more ends the process, and one may come twice.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => over.abort());

async function main(): Promise<void> {
  const provider = orbstack({ owner: "control-loop" });
  const keys = ["web-1", "web-2", "web-3"];
  const { turn, drain } = fleet({ provider, keys, store: fileStore(".slipway-control-loop"), script: "echo ready" });
  while (!over.signal.aborted) {
    const { running, replaced, failures } = await turn();
    console.log(`${running.length} of ${keys.length} run, ${replaced.length} replaced`);
    for (const { code, message, hint } of failures) console.log(`  ${code}: ${message}`, hint ?? "");
    await pause(BETWEEN_TURNS_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  console.log(`${await drain()} left`);
}

main().catch((error: unknown) => {
  console.error(isProviderError(error) ? `${error.code}: ${error.message}\n${error.hint ?? ""}` : error);
  process.exitCode = 1;
});
