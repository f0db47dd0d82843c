import type { ExecMethods, LogMethods } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { SshRemote } from "./driver.ts";
import { failureOf, refusal } from "./errors.ts";
import type { Held } from "./instance.ts";

/** The claim that an id means. Throws where there is none of ours. */
export type Find = (call: Call, id: string) => Promise<Held>;

const NOT_HELD = 254;
const SSH_FAILED = 255;
const POLL_MS = 500;

/** Programs on the host, in the claim's directory, and what the bootstrap printed there. */
export function insideMethods({ client, clock }: SshRemote, find: Find): ExecMethods & LogMethods {
  return {
    exec: async (id, argv, { signal, timeoutMs, ...streams } = {}) => {
      const call: Call = { operation: "exec", signal };
      const { host, claim } = await find(call, id);
      const command = { ...streams, verb: "exec", args: [claim.id, ...argv], timeoutMs } as const;
      const result = await client.end(call, host, command);
      if (result.exitCode === NOT_HELD) throw refusal("NOT_FOUND", call.operation, `${id} has ended meanwhile`);
      if (result.exitCode === null || result.exitCode === SSH_FAILED) {
        throw failureOf(result, { operation: call.operation, effect: "unknown", host: host.name });
      }
      return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    /** With `follow` until the bootstrap has ended, or the instance is gone. */
    logs: async function* (id, { signal, follow } = {}) {
      const call: Call = { operation: "logs", signal };
      let shown = 0;
      for (;;) {
        const { host, claim } = await find(call, id);
        const printed = await client.run(call, host, { verb: "log", args: [claim.id] });
        const goesOn = follow === true && claim.bootstrap === "running";
        const lines = printed.split("\n");
        // The last piece is a line only once its end has come.
        const whole = goesOn || lines.at(-1) === "" ? lines.slice(0, -1) : lines;
        yield* whole.slice(shown);
        shown = whole.length;
        if (!goesOn) return;
        await clock.sleep(POLL_MS, signal);
      }
    },
  };
}
