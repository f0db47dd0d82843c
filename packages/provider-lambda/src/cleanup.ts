import { type CleanupItem, type CleanupMethods, namePrefixFor } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type LambdaRemote, refusal } from "./remote.ts";
import { keyMaterial } from "./ssh-keys.ts";
import type { WireSshKey } from "./wire.ts";

const KIND = "ssh-key";

/** The keys that this owner's launches added to the account, and that neither an instance nor the configuration needs. */
export function cleanupMethods(remote: LambdaRemote): CleanupMethods {
  return {
    addsSshKeys: true,
    planCleanup: async ({ signal } = {}) => {
      const keys = await unusedKeys(remote, { operation: "planCleanup", signal });
      return keys.map(
        ({ id, public_key: sshKey }): CleanupItem => ({
          kind: KIND,
          id,
          sshKey,
          reason: "no instance was launched with it",
        }),
      );
    },
    removeLeftover: async ({ kind, id }, { signal } = {}) => {
      const call = { operation: "removeLeftover", signal };
      if (kind !== KIND)
        throw refusal("INVALID_SPEC", call.operation, `${kind} ${id} is none of planCleanup's answers`);
      // Once more, as the plan may be as old as the question that a person was asked.
      const own = await ownKeys(remote, call);
      const key = own.find((one) => one.id === id);
      if (key === undefined) return "removed";
      if ((await usedNames(remote, call)).has(key.name)) return "in-use";
      remote.keyNames.delete(keyMaterial(key.public_key));
      await remote.client.deleteSshKey(call, id);
      return "removed";
    },
  };
}

/** Keys first: an instance that is launched meanwhile is seen after its key. */
async function unusedKeys(remote: LambdaRemote, call: Call): Promise<readonly WireSshKey[]> {
  const own = await ownKeys(remote, call);
  if (own.length === 0) return [];
  const used = await usedNames(remote, call);
  return own.filter(({ name }) => !used.has(name));
}

async function ownKeys({ owner, client }: LambdaRemote, call: Call): Promise<readonly WireSshKey[]> {
  const prefix = namePrefixFor(owner);
  return (await client.sshKeys(call)).filter(({ name }) => name.startsWith(prefix));
}

async function usedNames({ client, sshKeyName }: LambdaRemote, call: Call): Promise<ReadonlySet<string>> {
  // A key is for the launch alone: whatever ends needs none.
  const living = (await client.instances(call)).filter(({ status }) => !status.startsWith("terminat"));
  // Launches give the configured one without looking, and none of them would add it again.
  const configured = sshKeyName === undefined ? [] : [sshKeyName];
  return new Set([...configured, ...living.flatMap(({ ssh_key_names: names }) => names ?? [])]);
}
