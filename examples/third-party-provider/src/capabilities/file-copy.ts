import { type CallOptions, type CapabilityDefinition, defineCapability } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { SshRemote } from "../driver.ts";
import { refusal } from "../errors.ts";
import type { Find } from "../inside.ts";
import { DEFAULT_DIRECTORY } from "../options.ts";

/** Unlocked by `fileCopy`: a capability that this package adds, and any other may have too. */
export interface FileCopyMethods {
  /** Writes a file into the instance; its directory must be there. Resolves when it is written. */
  readonly copyIn: (
    id: string,
    file: { readonly path: string; readonly content: string },
    call?: CallOptions,
  ) => Promise<void>;
  /** Null if there is no such file. */
  readonly copyOut: (
    id: string,
    file: { readonly path: string },
    call?: CallOptions,
  ) => Promise<{ readonly content: string } | null>;
}

declare module "@slipway/core" {
  // The parameter's name is part of core's API: a merged interface repeats it.
  // biome-ignore lint/correctness/noUnusedVariables: TypeScript merges only interfaces with the same type parameters
  interface CapabilityMap<T> {
    readonly fileCopy: { methods: FileCopyMethods };
  }
}

export const fileCopy: CapabilityDefinition = defineCapability({
  name: "fileCopy",
  description: "Copies files into an instance and out of it.",
  options: {},
  methods: { copyIn: "plain", copyOut: "plain" },
  cases: [
    {
      id: "file-copy.round-trip",
      title: "gives back what was written, and null for what was not",
      run: async ({ provider, spawnOptions }) => {
        const { id } = await provider.spawn(spawnOptions());
        const content = "first line\n$(not a command) 'quoted' \u00e9\n";
        await provider.copyIn(id, { path: "notes.txt", content });
        const back = await provider.copyOut(id, { path: "notes.txt" });
        if (back?.content !== content) throw new Error(`it gave back ${JSON.stringify(back)}`);
        if ((await provider.copyOut(id, { path: "nothing.txt" })) !== null)
          throw new Error("it found a file that nobody wrote");
      },
    },
  ],
});

export function fileCopyMethods({ client }: SshRemote, find: Find): FileCopyMethods {
  return {
    copyIn: async (id, { path, content }, { signal } = {}) => {
      const call: Call = { operation: "copyIn", signal };
      checkPath(call, path);
      const { host, claim } = await find(call, id);
      const args = [claim.id, inside(claim.id, path, host.directory)];
      await client.run(call, host, { verb: "put", args, stdin: content });
    },
    copyOut: async (id, { path }, { signal } = {}) => {
      const call: Call = { operation: "copyOut", signal };
      checkPath(call, path);
      const { host, claim } = await find(call, id);
      const args = [claim.id, inside(claim.id, path, host.directory)];
      const result = await client.end(call, host, { verb: "read", args });
      const isThere = result.exitCode === 0 && !result.stderr.includes("No such file");
      return isThere ? { content: Buffer.from(result.stdout, "base64").toString("utf8") } : null;
    },
  };
}

function checkPath({ operation }: Call, path: string): void {
  if (path !== "" && !path.includes("\0")) return;
  throw refusal("INVALID_SPEC", operation, "path must name a file");
}

/** A relative path is one in the claim's directory. */
function inside(claim: string, path: string, directory = DEFAULT_DIRECTORY): string {
  return path.startsWith("/") ? path : `${directory}/claims/${claim}/${path}`;
}
