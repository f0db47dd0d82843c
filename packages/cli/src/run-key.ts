import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { commandRunner, isCommandError } from "@slipway/provider-kit/command";
import type { ProcessIdentity } from "@slipway/provider-kit/sandbox";
import { CliError } from "./cli-error.ts";

/** A key for one run, in a directory that only this user can enter. It goes away with the run. */
export interface RunKey extends AsyncDisposable {
  readonly identityFile: string;
}

const PREFIX = "slipway-key-";
const OWNER = "owner.json";

/** Makes one, and removes those of runs that were killed. */
export async function makeRunKey(
  parent: string = tmpdir(),
  identify: () => Promise<ProcessIdentity> = ownIdentity,
): Promise<RunKey> {
  await removeDeadRunKeys(parent);
  const directory = await mkdtemp(join(parent, PREFIX));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const identityFile = join(directory, "id_ed25519");
  try {
    // Before the key: what was killed in between has left nothing to protect.
    await sayOwner(directory, identify);
    const argv = ["-q", "-t", "ed25519", "-N", "", "-C", "slipway-run", "-f", identityFile];
    const { exitCode } = await commandRunner({ provider: "slipway" })("ssh-keygen", argv, { timeoutMs: 30_000 });
    if (exitCode !== 0) throw new Error(`ssh-keygen ended with ${exitCode}`);
  } catch (error) {
    await remove();
    const isMissing = isCommandError(error) && error.notFound;
    const message = isMissing ? "there is no ssh-keygen on this machine" : "ssh-keygen could not make a key";
    throw new CliError("MISSING_TOOL", message, "Install OpenSSH's client, or pass --identity.", error);
  }
  return { identityFile, [Symbol.asyncDispose]: remove };
}

async function ownIdentity(): Promise<ProcessIdentity> {
  const { identifySelf } = await import("@slipway/provider-kit/sandbox");
  return await identifySelf();
}

/**
 * The machine's name too: two that share the directory do not see one another's processes. Where processes cannot be told
 * apart, as on Windows, nothing is said, and nobody else removes the key.
 */
async function sayOwner(directory: string, identify: () => Promise<ProcessIdentity>): Promise<void> {
  const identity = await identify().catch(() => null);
  if (identity === null) return;
  await writeFile(join(directory, OWNER), JSON.stringify({ ...identity, host: hostname() }), { mode: 0o600 });
}

/** Removes the keys whose run is known to have ended without removing its own. Never throws: nobody waits for this. */
export async function removeDeadRunKeys(parent: string = tmpdir()): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    if (name.startsWith(PREFIX)) await removeIfDead(join(parent, name)).catch(() => undefined);
  }
}

/** Anybody may make a directory of this name in a place that all share, so only one of this user's own is believed. */
async function removeIfDead(directory: string): Promise<void> {
  const { uid, mode, ...found } = await lstat(directory).then((stats) => ({
    uid: stats.uid,
    mode: stats.mode,
    isDirectory: stats.isDirectory(),
  }));
  if (!found.isDirectory || uid !== (process.getuid?.() ?? uid) || (mode & 0o077) !== 0) return;
  const { parseProcessIdentity, processState } = await import("@slipway/provider-kit/sandbox");
  const said: unknown = JSON.parse(await readFile(join(directory, OWNER), "utf8"));
  const owner = parseProcessIdentity(said);
  if (owner === null || Object(said).host !== hostname() || (await processState(owner)) !== "dead") return;
  await rm(directory, { recursive: true, force: true });
}
