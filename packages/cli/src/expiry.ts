import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isStoreError, type LaunchRecord, launchId } from "@slipway/control";
import type { Provider } from "@slipway/core";
import { CliError, isSystemError } from "./cli-error.ts";
import { isRecord } from "./config-file.ts";
import type { Session } from "./session.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What `--ttl` came to, once. */
interface Expiry {
  readonly ttlMs: number;
  readonly expiresAt: string;
}

// Commands of one key that run at the same moment agree on what the first of them wrote; one that comes later than this
// begins anew. It is longer than a command waits for the others.
const SAME_MOMENT_MS = 300_000;

/**
 * When an instance with this `--ttl` expires. It is computed once for each instance and then kept, so that a repeated
 * command, and one that runs at the same moment, asks for the same instance and not for a different one.
 */
export async function expiryFor(session: Session, provider: Provider, key: string, ttlMs: number): Promise<string> {
  const id = launchId({ provider: provider.name, account: "", owner: provider.owner, key });
  const stored = await (await session.store()).read(id);
  const record = stored?.kind === "launch" ? stored : null;
  const now = session.world.clock.now();
  const fresh: Expiry = { ttlMs, expiresAt: expiresIn(now, ttlMs) };
  const directory = directoryOf(session.state, id);
  if (record !== null && !(await isOver(session, provider, record))) {
    const known = (await readAll(session.state, directory)).find(
      ({ expiresAt }) => expiresAt === record.expected.expiresAt,
    );
    // Another ttl is another request: launch answers CONFLICT while the instance is there.
    return known?.ttlMs === ttlMs ? known.expiresAt : fresh.expiresAt;
  }
  const generation = (record?.attempt ?? 0) + 1;
  const agreed = await agree(session.state, directory, generation, fresh, now);
  return agreed.ttlMs === ttlMs ? agreed.expiresAt : fresh.expiresAt;
}

/** Takes away what was computed for a key whose instance is known to be gone. */
async function forgetExpiry(state: StateDirectory, id: string): Promise<void> {
  await rm(directoryOf(state, id), { recursive: true, force: true });
}

/** The first one that was written for this generation at this moment, whoever wrote it. */
async function agree(
  state: StateDirectory,
  directory: string,
  generation: number,
  fresh: Expiry,
  now: number,
): Promise<Expiry> {
  await state.make(directory);
  for (let turn = 0; ; turn += 1) {
    const path = join(directory, `${generation}-${turn}.json`);
    await state.writeOnce(path, `${JSON.stringify(fresh)}\n`);
    const written = await readExpiry(state, path);
    const writtenAt = Date.parse(written.expiresAt) - written.ttlMs;
    if (writtenAt > now - SAME_MOMENT_MS) return written;
  }
}

function directoryOf(state: StateDirectory, id: string): string {
  return join(
    state.expiries,
    process.getBuiltinModule("node:crypto").createHash("sha256").update(id).digest("hex").slice(0, 40),
  );
}

function expiresIn(now: number, ttlMs: number): string {
  const at = new Date(Math.ceil((now + ttlMs) / 1000) * 1000);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() > 9999) {
    throw new CliError("INVALID_ARGUMENT", "--ttl is too long: it ends after the year 9999");
  }
  return at.toISOString();
}

/** Will the next launch make a new instance? */
async function isOver(session: Session, provider: Provider, record: LaunchRecord): Promise<boolean> {
  if (record.state !== "launched") return record.state !== "intended";
  const instance = await provider.get(record.instanceId ?? "", session.call);
  return instance === null || instance.status === "terminated" || instance.status === "terminating";
}

async function readAll(state: StateDirectory, directory: string): Promise<readonly Expiry[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw state.failure(error);
  });
  const files = names.filter((name) => name.endsWith(".json"));
  return Promise.all(files.map((name) => readExpiry(state, join(directory, name))));
}

async function readExpiry(state: StateDirectory, path: string): Promise<Expiry> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    if (isRecord(read) && typeof read["ttlMs"] === "number" && typeof read["expiresAt"] === "string") {
      return { ttlMs: read["ttlMs"], expiresAt: read["expiresAt"] };
    }
  } catch (error) {
    if (isSystemError(error)) throw state.failure(error);
  }
  throw new CliError(
    "CORRUPT_STATE",
    `${path} does not say when the instance expires`,
    "Remove the file: the next spawn with this key computes it anew.",
  );
}

/** Forgets the launch of an instance that is known to be gone, so that `reconcile` does not miss it. */
export async function forgetLaunch(
  session: Session,
  provider: Provider,
  key: string,
  instanceId: string,
): Promise<void> {
  const id = launchId({ provider: provider.name, account: "", owner: provider.owner, key });
  try {
    const store = await session.store();
    const lease = await store.acquire(id);
    if (lease === null) return;
    try {
      const record = await store.read(id);
      // Null: whoever confirmed the end has forgotten it already.
      if (record !== null && (record.kind !== "launch" || record.instanceId !== instanceId)) return;
      await forgetExpiry(session.state, id);
      if (record !== null) await store.remove(id);
    } finally {
      await store.release(lease);
    }
  } catch (error) {
    // The instance is gone, which is what was asked for; `reconcile` forgets it once the store can be written to.
    if (!isStoreError(error) && !isSystemError(error)) throw error;
  }
}
