import { link, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, namesThat, readIfThere } from "./file-faults.ts";
import type { Processes, ProcessIdentity } from "./process-identity.ts";
import { StoreError } from "./store-error.ts";

interface LeaseFile {
  readonly token: string;
  /** Null: a power failure took the content, and with it everybody who could have held the lease. */
  readonly holder: ProcessIdentity | null;
}

/** Leases as files in one directory, for processes of one machine. */
export interface LeaseFiles {
  /** The token of the lease, or null if another holder has it. */
  readonly take: (name: string) => Promise<string | null>;
  /** Does the lease that stands there have this token? */
  readonly isHeld: (name: string, token: string) => Promise<boolean>;
  /** Does a lease stand there whose holder may be alive? */
  readonly isInUse: (name: string) => Promise<boolean>;
  readonly release: (name: string, token: string) => Promise<void>;
  /** A path for a file that is about to be written. */
  readonly draftPath: () => Promise<string>;
  /** Removes what processes that have died left: drafts, which may hold secrets, and takeover tickets that are spent. */
  readonly sweep: () => Promise<void>;
  readonly pathOf: (name: string) => string;
}

/** As it stands in the file: one of an earlier version has no machine id. */
interface WrittenLease {
  readonly token: string;
  readonly holder: Omit<ProcessIdentity, "machineId">;
}

const TICKET = /\.([0-9a-f]{24})\.takeover$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: after a power failure a file system shows zeros for a block that was never written
const LOST = /^\0*$/;
// Each round means that the lease changed hands while it was looked at.
const MOST_ROUNDS = 100;

/**
 * How a lease moves, and why two processes never have it at once:
 *
 * - A lease file appears by `link`, which fails if the name is taken, and it appears with its whole content.
 * - Its holder removes it. While that process lives, nobody else touches the file. Where it cannot be removed, its holder
 *   tries again at each later lease, and takes it over as one of the dead: the process lives, and holds nothing.
 * - The file of a dead holder, with token T, is replaced only by whoever holds the takeover ticket named after T. The
 *   ticket is a lease of the same kind, so of several contenders one has it, and a dead one's ticket is taken over in
 *   the same way. Whoever gets the ticket reads the lease again: if its token is no longer T, somebody has finished the
 *   takeover before, and the ticket is worth nothing. Tokens never come back, so neither does that case.
 *
 * A lease is not flushed: it ends with its process, and so with the power. What a power failure can leave of it is a file
 * of nothing, or of zeros. No living process has written such a file, since one appears with its whole content; so its
 * holder is dead, and it is taken over under a token that is made from the file itself.
 *
 * Removing the file and creating it anew would not do: a slow contender could remove the file of the one that won.
 */
export function leaseFiles(directory: string, processes: Processes, foreignIsDead: boolean): LeaseFiles {
  const pathOf = (name: string): string => join(directory, `${name}.lease`);
  const ticketOf = (name: string, token: string): string => join(directory, `${name}.${token}.takeover`);

  const draftPath = async (): Promise<string> => {
    const self = await processes.self();
    return join(directory, `${numberingOf(self)}-${self.pid}-${newToken()}.draft`);
  };

  // Leases that were given back and whose files could not be removed, by name: nobody works under them.
  const givenBack = new Map<string, string>();

  const removeGivenBack = async (): Promise<void> => {
    for (const [name, token] of [...givenBack]) {
      // Meanwhile it may have been removed, or taken over: then the file there is the next holder's.
      if (givenBack.get(name) !== token) continue;
      await removeLease(name, token).catch(() => undefined);
    }
  };

  // One removal of a lease at a time: a second one that has read the old token would remove the next holder's file.
  const removals = new Map<string, Promise<void>>();

  const removeLease = (name: string, token: string): Promise<void> => {
    const pending = removals.get(token);
    if (pending !== undefined) return pending;
    const removal = (async (): Promise<void> => {
      try {
        if (await isHeld(name, token)) await rm(pathOf(name), { force: true });
        if (givenBack.get(name) === token) givenBack.delete(name);
      } finally {
        removals.delete(token);
      }
    })();
    removals.set(token, removal);
    return removal;
  };

  const isDead = async (holder: ProcessIdentity | null): Promise<boolean> => {
    if (holder === null) return true;
    const state = await processes.stateOf(holder);
    return state === "dead" || (state === "foreign" && foreignIsDead);
  };

  /** Puts a lease of this process at a path; null if another one stands there. */
  const claim = async (path: string, name: string): Promise<string | null> => {
    const token = newToken();
    const draft = await draftPath();
    try {
      const content = JSON.stringify({ token, holder: await processes.self() } satisfies LeaseFile);
      await writeFile(draft, content, { flag: "wx", mode: 0o600 });
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        if (await linked(draft, path)) return token;
        const current = await readLease(path);
        if (current === null) continue;
        for (let one = removals.get(current.token); one !== undefined; one = removals.get(current.token)) {
          await one.catch(() => undefined);
        }
        const isGivenBack = givenBack.get(name) === current.token;
        if (!isGivenBack && !(await isDead(current.holder))) {
          if ((await readLease(path))?.token === current.token) return null;
          continue;
        }
        // From here on nobody begins to remove it: what stands there next is this one.
        if (isGivenBack) givenBack.delete(name);
        let took: Awaited<ReturnType<typeof takeOver>> | undefined;
        try {
          took = await takeOver(draft, path, name, current.token);
        } finally {
          if (isGivenBack && took !== "taken") givenBack.set(name, current.token);
        }
        if (took !== "changed") return took === "taken" ? token : null;
      }
      return null;
    } finally {
      // The lease stands or falls with its own file; a draft that stays is swept.
      await rm(draft, { force: true }).catch(() => undefined);
    }
  };

  const takeOver = async (
    draft: string,
    path: string,
    name: string,
    dead: string,
  ): Promise<"taken" | "lost" | "changed"> => {
    const ticketPath = ticketOf(name, dead);
    const ticket = await claim(ticketPath, name);
    if (ticket === null) return "lost";
    try {
      if ((await readLease(path))?.token !== dead) return "changed";
      await rename(draft, path);
      return "taken";
    } finally {
      await rm(ticketPath, { force: true }).catch(() => undefined);
    }
  };

  /**
   * Removes the tickets of processes that died in the middle of a takeover, where the token that they are about stands
   * nowhere any more: tokens never come back, so such a ticket is worth nothing to anybody.
   */
  const sweepTickets = async (): Promise<boolean> => {
    const tickets = await namesThat(directory, (file) => TICKET.test(file));
    if (tickets.length === 0) return false;
    // Listed again: what a ticket is about stood there before the ticket did.
    const standing = new Set<string>();
    for (const file of await namesThat(directory, (one) => one.endsWith(".lease") || TICKET.test(one))) {
      const token = (await readLease(join(directory, file)))?.token;
      if (token !== undefined) standing.add(token);
    }
    let removed = false;
    for (const file of tickets) {
      const path = join(directory, file);
      const [, about = ""] = TICKET.exec(file) ?? [];
      const ticket = standing.has(about) ? null : await readLease(path);
      if (ticket === null || !(await isDead(ticket.holder))) continue;
      await rm(path, { force: true });
      removed = true;
    }
    return removed;
  };

  const isHeld = async (name: string, token: string): Promise<boolean> =>
    (await readLease(pathOf(name)))?.token === token;

  return {
    take: async (name) => {
      await removeGivenBack();
      return claim(pathOf(name), name);
    },
    isHeld,
    isInUse: async (name) => {
      const lease = await readLease(pathOf(name));
      return lease !== null && !(await isDead(lease.holder));
    },
    release: async (name, token) => {
      givenBack.set(name, token);
      await removeLease(name, token);
    },
    draftPath,
    pathOf,
    sweep: async () => {
      const self = await processes.self();
      for (const file of await namesThat(directory, (one) => isDeadDraft(one, self))) {
        await rm(join(directory, file), { force: true });
      }
      // A ticket that is swept may have been what another one is about. One that cannot be judged stays: it does no harm.
      while (await sweepTickets().catch(() => false));
    },
  };
}

/** Only drafts of this machine, boot and container can be judged by their pid. */
function isDeadDraft(file: string, self: ProcessIdentity): boolean {
  const [, numbering, pid] = /^([0-9a-f]+)-(\d+)-[0-9a-f]+\.draft$/.exec(file) ?? [];
  return numbering === numberingOf(self) && !isRunning(Number(pid));
}

function newToken(): string {
  return process.getBuiltinModule("node:crypto").randomBytes(12).toString("hex");
}

/** Short for "a pid of this machine, boot and container". */
function numberingOf(self: ProcessIdentity): string {
  const numbering = [self.host, self.bootId, self.pidNamespace].join("\n");
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(numbering).digest("hex").slice(0, 12);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function readLease(path: string): Promise<LeaseFile | null> {
  const text = await readIfThere(path);
  if (text === null) return null;
  if (LOST.test(text)) return await lostLease(path);
  const lease = parseLease(text);
  if (lease !== null) return lease;
  throw new StoreError("CORRUPT", {
    message: `${path} is not a lease`,
    hint: "If no process works with this key, delete that file; the record beside it is not touched.",
    path,
  });
}

/** Null where it has gone since. */
async function lostLease(path: string): Promise<LeaseFile | null> {
  const file = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  const { createHash } = process.getBuiltinModule("node:crypto");
  const token = createHash("sha256").update(`${file.ino} ${file.ctimeNs}`).digest("hex").slice(0, 24);
  return { token, holder: null };
}

function parseLease(text: string): LeaseFile | null {
  try {
    const value: unknown = JSON.parse(text);
    return isLease(value) ? { ...value, holder: { machineId: "", ...value.holder } } : null;
  } catch {
    return null;
  }
}

function isLease(value: unknown): value is WrittenLease {
  if (typeof value !== "object" || value === null || !("token" in value) || !("holder" in value)) return false;
  const { token, holder } = value;
  if (typeof token !== "string" || !/^[0-9a-f]{24}$/.test(token)) return false;
  if (typeof holder !== "object" || holder === null) return false;
  const texts = ["startTime", "bootId", "pidNamespace", "host"].map((name): unknown => Reflect.get(holder, name));
  return Number.isSafeInteger(Reflect.get(holder, "pid")) && texts.every((text) => typeof text === "string");
}
