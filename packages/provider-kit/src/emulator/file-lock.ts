import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Holder, isAlive, thisProcess } from "./lock-holder.ts";

export interface FileLockOptions {
  /** How long to wait for others, real milliseconds. */
  readonly timeoutMs: number;
}

const POLL_MS = 4;
const SLOWEST_POLL_MS = 50;

/**
 * Takes a lock that processes share through files named `<path>.lock.<number>`, and answers what gives it back. First
 * come, first served; a process that is gone holds nothing and waits for nothing.
 *
 * Whoever comes makes the next number, which only one can, and waits until all lower ones are free. The newest number is
 * never removed, so numbers only rise: who finds a higher one beside his own has looked too long ago, and draws again.
 */
export async function takeFileLock(path: string, { timeoutMs }: FileLockOptions): Promise<() => Promise<void>> {
  const me = await thisProcess();
  const until = performance.now() + timeoutMs;
  await mkdir(dirname(path), { recursive: true });
  const mine = await drawNumber(path, me);
  const giveBack = (): Promise<void> => write(numbered(path, mine), { ...me, free: true }, rename);
  try {
    for (;;) {
      const ahead = await aheadOf(path, mine);
      if (ahead === 0) break;
      if (performance.now() >= until) {
        throw new Error(`${path} is locked by another process for more than ${timeoutMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_MS * ahead, SLOWEST_POLL_MS)));
    }
    for (const number of await numbersOf(path)) if (number < mine) await rm(numbered(path, number), { force: true });
  } catch (error) {
    await giveBack();
    throw error;
  }
  return giveBack;
}

async function drawNumber(path: string, me: Holder): Promise<number> {
  for (;;) {
    const mine = Math.max(0, ...(await numbersOf(path))) + 1;
    try {
      await write(numbered(path, mine), me, link);
    } catch (error) {
      if (hasCode(error, "EEXIST")) continue;
      throw error;
    }
    if ((await numbersOf(path)).every((number) => number <= mine)) return mine;
    await rm(numbered(path, mine), { force: true });
  }
}

/** How many hold the lock or wait for it before this number. */
async function aheadOf(path: string, mine: number): Promise<number> {
  let ahead = 0;
  for (const number of await numbersOf(path)) {
    if (number < mine && !(await isFree(numbered(path, number)))) ahead += 1;
  }
  return ahead;
}

/** The content appears with the name, whole. `link` refuses a name that is there; `rename` replaces it. */
async function write(
  target: string,
  content: Holder & { readonly free?: true },
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const draft = `${target}.${process.pid}.${crypto.randomUUID()}`;
  await writeFile(draft, JSON.stringify(content));
  try {
    await place(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

async function isFree(file: string): Promise<boolean> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    // Removed since, by a holder that came later or by the one who drew it too late.
    if (hasCode(error, "ENOENT")) return true;
    throw error;
  }
  const holder = holderIn(text);
  return holder === null || "free" in holder || !(await isAlive(holder));
}

/** Null for what is none: a lock appears with its content, so only a machine that lost its power leaves such a file. */
function holderIn(text: string): object | null {
  try {
    const holder: unknown = JSON.parse(text);
    return typeof holder === "object" ? holder : null;
  } catch {
    return null;
  }
}

function numbered(path: string, number: number): string {
  return `${path}.lock.${number}`;
}

async function numbersOf(path: string): Promise<readonly number[]> {
  const prefix = `${basename(path)}.lock.`;
  const names = await readdir(dirname(path));
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}

export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}

/** Drafts that killed processes left behind. To be called by who holds the lock. */
export async function sweepDrafts(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(/^(?:lock\.\d+\.)?(\d+)\.[0-9a-f-]{36}$/.exec(name.slice(prefix.length))?.[1]);
    if (Number.isNaN(pid) || pid === process.pid || (await isAlive({ pid, start: null, boot: null }))) continue;
    await rm(join(folder, name), { force: true });
  }
}
