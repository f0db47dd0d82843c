import { Providers } from "./providers.ts";
import { StateDirectory } from "./state-directory.ts";
import type { World } from "./world.ts";

/** The values that a placeholder of the command line can have, by its name. File names are the shell's own business. */
export type CompletionValues = ReadonlyMap<string, readonly string[]>;

/** All that is known without a call to a provider, and without running a file of the directory. What cannot be read is not offered. */
export async function valuesFor(world: World): Promise<CompletionValues> {
  const state = new StateDirectory(world);
  const [providers, keys] = await Promise.all([
    new Providers(world, state, () => undefined, { runsCode: false }).names().catch(() => []),
    launchedKeys(state).catch(() => []),
  ]);
  return new Map([
    ["provider", providers],
    ["id-or-key", keys],
  ]);
}

async function launchedKeys(state: StateDirectory): Promise<readonly string[]> {
  await state.checkTrust();
  const { fileStore } = await import("@slipway/control");
  const keys = new Set<string>();
  try {
    for await (const { record } of fileStore(state.launches).entries({ kind: "launch" })) {
      if (record.kind === "launch" && record.state !== "ended") keys.add(record.identity.key);
    }
  } catch {
    // The keys that could be read are worth offering.
  }
  return [...keys];
}
