import { existsSync } from "node:fs";
import type { CallOptions } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { mustFind } from "./lookup.ts";

/** Beyond the contract: files go in and out by OrbStack's own file share, also of a stopped instance. */
export interface FileMethods {
  /** Copies a file or folder of this Mac into the instance. INVALID_SPEC if it is not there, NOT_FOUND for an unknown id. */
  readonly push: (id: string, source: string, target: string, call?: CallOptions) => Promise<void>;
  /** Copies a file or folder of the instance to this Mac. NOT_FOUND for an unknown id. */
  readonly pull: (id: string, source: string, target: string, call?: CallOptions) => Promise<void>;
}

export function fileMethods(context: OrbstackContext): FileMethods {
  return {
    push: async (id, source, target, { signal } = {}) => {
      const call: Call = { operation: "push", signal };
      checkPaths(call, source, target);
      if (!existsSync(source))
        throw refusal("INVALID_SPEC", call.operation, `there is no ${JSON.stringify(source)} on this Mac`);
      const { info } = await mustFind(context, call, id);
      await context.client.push(call, info.record.name, source, target);
    },
    pull: async (id, source, target, { signal } = {}) => {
      const call: Call = { operation: "pull", signal };
      checkPaths(call, source, target);
      const { info } = await mustFind(context, call, id);
      await context.client.pull(call, info.record.name, source, target);
    },
  };
}

/** One that begins with a dash would be taken for a flag. */
function checkPaths({ operation }: Call, ...paths: readonly string[]): void {
  for (const path of paths) {
    if (path !== "" && !path.startsWith("-") && !path.includes("\0")) continue;
    throw refusal("INVALID_SPEC", operation, `${JSON.stringify(path)} is no path that orbctl takes`);
  }
}
