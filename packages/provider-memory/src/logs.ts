import type { LogMethods } from "@slipway/core";
import { inRegionsOrThrow, type MemoryContext } from "./context.ts";
import { consoleLines } from "./wire.ts";

const POLL_MS = 1_000;

export function logMethods(context: MemoryContext): LogMethods {
  return {
    logs: async function* (id, { signal, follow = false } = {}) {
      const call = { operation: "logs", signal };
      for (let from = 0; ; ) {
        const { lines, ended } = await inRegionsOrThrow(context, call, id, "mem", (region, nativeId) =>
          context.client.send(call, "machines.console", region, { id: nativeId, from }, consoleLines),
        );
        yield* lines;
        from += lines.length;
        if (!follow || ended) return;
        try {
          await context.clock.sleep(POLL_MS, signal);
        } catch {
          return;
        }
      }
    },
  };
}
