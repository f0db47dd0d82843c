import { isProviderError, nameFor } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type LambdaRemote, refusal } from "./remote.ts";
import type { WireSshKey } from "./wire.ts";

// A launch that names a key of which there are two ends in `global/unknown`, so no name is ever taken twice.

/** The one name that a launch may give: of the configured key, or of the account's key with this very body. */
export async function keyNameFor(remote: LambdaRemote, call: Call, publicKey: string | undefined): Promise<string> {
  if (publicKey !== undefined) {
    const body = keyMaterial(publicKey);
    return await remote.mutex(`ssh-key ${body}`, call, async () => {
      const name = remote.keyNames.get(body) ?? (await nameOfBody(remote, call, publicKey.trim(), body));
      remote.keyNames.set(body, name);
      return name;
    });
  }
  const { sshKeyName } = remote;
  if (sshKeyName !== undefined) return sshKeyName;
  throw refusal("INVALID_SPEC", call.operation, "sshKeys is empty, and no sshKeyName is configured");
}

/** Is exactly one key of the account called so? */
export async function checkKeyName(remote: LambdaRemote, call: Call): Promise<void> {
  const { sshKeyName } = remote;
  const keys = await remote.client.sshKeys(call);
  if (sshKeyName === undefined) return;
  const count = keys.filter(({ name }) => name === sshKeyName).length;
  if (count === 1) return;
  throw refusal(
    "INVALID_SPEC",
    call.operation,
    `the account has ${count === 0 ? "no SSH key" : `${count} SSH keys`} named ${JSON.stringify(sshKeyName)}`,
    { hint: "Configure sshKeyName with a name that exactly one key of the account has." },
  );
}

async function nameOfBody(remote: LambdaRemote, call: Call, publicKey: string, body: string): Promise<string> {
  const keys = await remote.client.sshKeys(call);
  const usable = keys.find((key) => keyMaterial(key.public_key) === body && isOnly(key, keys));
  if (usable !== undefined) return usable.name;
  const own = nameFor(remote.owner, `ssh-key ${body}`);
  const doubled = keys.filter(({ name }) => name === own);
  if (doubled.some((key) => keyMaterial(key.public_key) !== body)) {
    throw refusal("CONFLICT", call.operation, `an SSH key of another body has Slipway's name ${own}`, {
      hint: "Rename or remove that key in Lambda's dashboard.",
    });
  }
  if (doubled.length === 0) await add(remote, call, own, publicKey);
  // Another process may have added the same one at the same moment.
  await keepOne(remote, call, own, body);
  return own;
}

async function add(remote: LambdaRemote, call: Call, name: string, publicKey: string): Promise<void> {
  try {
    await remote.client.addSshKey(call, name, publicKey);
  } catch (error) {
    if (!isProviderError(error) || error.effect === "none" || call.signal?.aborted === true) throw error;
    // Whether it is there is known by looking, and no instance hangs on it yet.
    const there = (await remote.client.sshKeys(call)).some((key) => key.name === name);
    if (!there) throw error;
  }
}

async function keepOne(remote: LambdaRemote, call: Call, name: string, body: string): Promise<void> {
  const keys = await remote.client.sshKeys(call);
  const twins = keys.filter((key) => key.name === name && keyMaterial(key.public_key) === body);
  // Everybody who looks keeps the same one.
  const [, ...others] = twins.sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id } of others) {
    try {
      await remote.client.deleteSshKey(call, id);
    } catch (error) {
      if (!isProviderError(error, "INVALID_SPEC")) throw error;
    }
  }
}

function isOnly(key: WireSshKey, keys: readonly WireSshKey[]): boolean {
  return keys.filter(({ name }) => name === key.name).length === 1;
}

/** Type and key without the comment, which is anybody's. */
export function keyMaterial(publicKey: string): string {
  const [type = "", body = ""] = publicKey.trim().split(/\s+/);
  return `${type} ${body}`;
}
