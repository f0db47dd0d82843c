import { lstat, readFile, realpath } from "node:fs/promises";
import { CliError, isSystemError } from "./cli-error.ts";
import type { Config } from "./config-file.ts";
import type { World } from "./world.ts";

/** Whose files may be run. */
export interface TrustedOwners {
  /** The user that this process runs as; null where the system does not number its users. */
  readonly uid: number | null;
  /** Directories of other users that this user trusts. */
  readonly safeDirectories: readonly string[];
}

const WRITABLE_BY_GROUP_OR_OTHERS = 0o022;
const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;

export function trustedOwners({ uid }: World, { safeDirectories }: Pick<Config, "safeDirectories">): TrustedOwners {
  return { uid, safeDirectories };
}

/**
 * Throws FOREIGN_PROJECT if the path, or what it is a link to, belongs to neither this user nor root: what is in it would
 * run with this user's rights. A path that is not there passes; opening it says so.
 */
export async function refuseForeignOwner(path: string, owners: TrustedOwners): Promise<void> {
  const target = await realpath(path).catch(() => path);
  for (const one of new Set([path, target])) await refuseOne(one, owners);
}

async function refuseOne(path: string, { uid, safeDirectories }: TrustedOwners): Promise<void> {
  if (uid === null) return;
  const owner = await ownerOf(path);
  if (owner === null || owner.uid === uid || owner.uid === 0) return;
  if (safeDirectories.some((safe) => path === safe || path.startsWith(`${safe}/`))) return;
  throw new CliError(
    "FOREIGN_PROJECT",
    `${path} belongs to ${await nameOfUser(owner.uid)}, who is neither you nor root; nothing in it was run`,
    "Change to a directory of your own. If you trust this one, name it under safeDirectories in the config.json of your user-level configuration.",
  );
}

/** Throws UNSAFE_STATE if another user could change what the path holds: it is theirs, or its mode lets them write. */
export async function refuseSharedState(path: string, uid: TrustedOwners["uid"]): Promise<void> {
  if (uid === null) return;
  const owner = await ownerOf(path);
  if (owner === null) return;
  if (owner.uid !== uid && owner.uid !== 0) {
    throw unsafe(
      `${path} belongs to ${await nameOfUser(owner.uid)}`,
      "Point XDG_STATE_HOME at a directory of your own.",
    );
  }
  if (!owner.isLink && (owner.mode & WRITABLE_BY_GROUP_OR_OTHERS) !== 0) throw writable(path, owner.mode);
}

/** Throws UNSAFE_STATE if everyone may rename what is in the directory. A sticky one, as /tmp is, passes. */
export async function refuseOpenParent(path: string, uid: TrustedOwners["uid"]): Promise<void> {
  if (uid === null) return;
  const owner = await ownerOf(await realpath(path).catch(() => path));
  if (owner === null || (owner.mode & WRITABLE_BY_OTHERS) === 0 || (owner.mode & STICKY) !== 0) return;
  throw writable(path, owner.mode);
}

function writable(path: string, mode: number): CliError {
  return unsafe(
    `other users can write to ${path} (mode ${(mode & 0o7777).toString(8)})`,
    `If you know that nobody else changed it: chmod go-w ${path}`,
  );
}

function unsafe(what: string, hint: string): CliError {
  return new CliError("UNSAFE_STATE", `${what}, so what is remembered there of launches cannot be trusted`, hint);
}

interface Owner {
  readonly uid: number;
  readonly mode: number;
  readonly isLink: boolean;
}

async function ownerOf(path: string): Promise<Owner | null> {
  try {
    const found = await lstat(path);
    return { uid: found.uid, mode: found.mode, isLink: found.isSymbolicLink() };
  } catch (error) {
    // What cannot be looked at cannot be loaded either; whoever opens it says why.
    if (isSystemError(error)) return null;
    throw error;
  }
}

async function nameOfUser(uid: number): Promise<string> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = users.split("\n").find((entry) => entry.split(":")[2] === String(uid));
  const name = line?.split(":")[0];
  return name === undefined ? `user ${uid}` : `user ${uid} (${name})`;
}
