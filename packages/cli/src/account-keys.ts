import { readFile } from "node:fs/promises";
import type { CallOptions, CleanupItem, ProviderRegistration } from "@slipway/core";
import { shellCommand } from "./printable.ts";
import type { LoadedProvider } from "./providers.ts";
import type { Session } from "./session.ts";

const FORGET_MS = 20_000;

/** The keys among what a cleanup would remove. */
export async function unusedKeys(
  { cleanup }: Pick<ProviderRegistration, "cleanup">,
  call: CallOptions,
): Promise<readonly (CleanupItem & { readonly sshKey: string })[]> {
  // Elsewhere it would only look for other things, which takes time, and permissions that nobody may have given.
  if (cleanup?.addsSshKeys !== true) return [];
  const items = await cleanup.planCleanup(call);
  return items.flatMap((item) => (item.sshKey === undefined ? [] : [{ ...item, sshKey: item.sshKey }]));
}

/**
 * Removes the keys that this owner's launches added to a provider's account, where no instance needs them any more. Some
 * remotes let nobody in but by such a key. `publicKey`: this one alone. Returns what was removed.
 */
export async function removeUnusedKeys(
  registration: Pick<ProviderRegistration, "cleanup">,
  call: CallOptions,
  publicKey?: string,
): Promise<readonly CleanupItem[]> {
  const removed: CleanupItem[] = [];
  for (const item of await unusedKeys(registration, call)) {
    if (publicKey !== undefined && bodyOf(item.sshKey) !== bodyOf(publicKey)) continue;
    if ((await registration.cleanup?.removeLeftover(item, call)) === "removed") removed.push(item);
  }
  return removed;
}

/** Where the launch had to add the key of a file to the account, and no other instance needs it. Never throws. */
export async function forgetKey(
  session: Session,
  { provider, registration }: LoadedProvider,
  identityFile: string,
): Promise<void> {
  if (registration.cleanup?.addsSshKeys !== true) return;
  try {
    const publicKey = await readFile(`${identityFile}.pub`, "utf8");
    // Also after Ctrl-C: the key was for this alone.
    await removeUnusedKeys(registration, { timeoutMs: FORGET_MS }, publicKey);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remove = shellCommand(["slipway", "cleanup", "--provider", provider.name]);
    session.output.note(`The key of this run may stay in the account (${message}). To remove it: ${remove}`);
  }
}

/** Type and key without the comment, which is anybody's. */
function bodyOf(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(" ");
}
