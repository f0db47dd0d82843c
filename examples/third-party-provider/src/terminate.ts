import type { CallOptions } from "@slipway/core";
import type { Call } from "./client.ts";
import type { SshContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { find } from "./lookup.ts";

/** Ends what the claim runs, and gives the host back. What is gone or unknown is done. */
export async function terminateInstance(context: SshContext, id: string, { signal }: CallOptions = {}): Promise<void> {
  const call: Call = { operation: "terminate", signal };
  await context.keyedMutex(`terminate ${id}`, call, async () => {
    const found = await find(context, call, id);
    if (found === null) return;
    if (found.claim.ownership === null) {
      throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, {
        nativeId: found.claim.id,
      });
    }
    await context.client.run(call, found.host, { verb: "release", args: [found.claim.id] });
  });
}
