import { readFile } from "node:fs/promises";
import {
  isStoreError,
  launch,
  launchId,
  type StoredLaunchOptions,
  terminateAndConfirm,
  waitForBootstrap,
  waitForStatus,
} from "@slipway/control";
import {
  type BaseSpawnOptions,
  type CallOptions,
  type Clock,
  canExec,
  canReadBootstrap,
  type ExecMethods,
  type Instance,
  isProviderError,
  type Provider,
  type SpawnOptionsOf,
  systemClock,
} from "@slipway/core";
import { endLaunch, notedWrites } from "./end-launch.ts";
import { openNativeSession } from "./native-session.ts";
import { openSession } from "./open-session.ts";
import { pause } from "./pause.ts";
import { refusal } from "./refusal.ts";
import type { Session, SshAccess } from "./session.ts";
import { sessionBootstrap } from "./session-bootstrap.ts";

/** A key to log in with, needed unless the provider's type has exec. */
export type AccessOption<P> = P extends ExecMethods
  ? { readonly access?: SshAccess | undefined }
  : { readonly access: SshAccess };

/** How `withInstance` launches and logs in. */
export type WithInstanceOptions<P extends Provider> = StoredLaunchOptions<P> &
  AccessOption<P> & {
    /** From the launch until the body begins, milliseconds; 15 minutes if absent. */
    readonly readyTimeoutMs?: number | undefined;
  };

/** What is done inside. */
export type InstanceWork<T> = (session: Session, instance: Instance) => Promise<T>;

/** The options without the provider's own type: the signatures have checked them against it. */
export interface ErasedOptions extends Omit<StoredLaunchOptions, "placements"> {
  readonly access?: SshAccess | undefined;
  readonly readyTimeoutMs?: number | undefined;
}

export const READY_TIMEOUT_MS = 900_000;
const POLL_MS = 1000;
// Between the start of sshd and the writing of its key file a log-in with the right key may be refused.
const KEY_GRACE_MS = 60_000;

/**
 * Launches an instance, waits until it is running and its bootstrap has succeeded, runs the body with a session, and
 * terminates and confirms whatever happens. Where the provider has no exec, the public key beside `access.identityFile`
 * is added to `sshKeys`. Rejects with what failed first; an AggregateError holds both if the instance could not be
 * confirmed gone. After a crash the same key finds the same instance, and the body is run again. What another process works on,
 * or has launched, under the key by the time that the launch fails is left to that process.
 *
 * @example
 * ```ts
 * import { local } from "@slipway/provider-local";
 *
 * const { exitCode } = await withInstance(local({ owner: "me" }), { key: "worker-1" }, { store }, (session) =>
 *   session.exec(["uname", "-r"]),
 * );
 * ```
 */
export function withInstance<P extends Provider, T>(
  provider: P,
  options: SpawnOptionsOf<P>,
  control: WithInstanceOptions<P>,
  body: InstanceWork<T>,
): Promise<T> {
  return withInstanceUnder(provider, options, control, body, (end) => end());
}

/** `withInstance` whose instance is ended only by `under`: what another process may have by now is that process's to end. */
export async function withInstanceUnder<P extends Provider, T>(
  provider: P,
  options: SpawnOptionsOf<P>,
  control: WithInstanceOptions<P>,
  body: InstanceWork<T>,
  under: (end: () => Promise<void>) => Promise<void>,
): Promise<T> {
  const { access } = control as ErasedOptions;
  const key = options.key ?? crypto.randomUUID();
  const sshKeys = await sshKeysFor(provider, options, access);
  const spawning = { ...options, key, ...(sshKeys === undefined ? {} : { sshKeys }) };
  const clock = control.clock ?? systemClock;
  const { store, account } = control as ErasedOptions;
  const noted = notedWrites(
    store,
    launchId({ provider: provider.name, account: account ?? "", owner: provider.owner, key }),
  );
  let id: string;
  try {
    ({ id } = await launch(provider, spawning, { ...control, store: noted.store }));
  } catch (error) {
    // Not one that is known to have made nothing: whatever is there under the key must not run on.
    if (isProviderError(error) && error.effect === "none") throw error;
    // Then another process may work under the key. What this one made, `launch` has ended itself, or names it.
    if (isStoreError(error, "NOT_HELD")) throw error;
    throw await afterwards(provider, key, error, () => under(() => endLaunch(provider, key, clock, noted)));
  }
  const outcome = await prepared(provider, id, options, control, body, clock).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  // Without the caller's signal: an abort is the very moment at which the instance must go.
  const end = (): Promise<void> => under(() => terminateAndConfirm(provider, id, { clock, store, account }));
  if ("error" in outcome) throw await afterwards(provider, id, outcome.error, end);
  await end();
  return outcome.value;
}

/** Cleans up after a failure. Returns the failure, joined with what went wrong in the clean-up. */
async function afterwards(
  provider: Provider,
  what: string,
  error: unknown,
  end: () => Promise<void>,
): Promise<unknown> {
  try {
    await end();
    return error;
  } catch (left) {
    const message = `the work failed, and instance ${what} of ${provider.name} may be left running`;
    return new AggregateError([error, left], message);
  }
}

async function sshKeysFor(
  provider: Provider,
  { sshKeys }: BaseSpawnOptions,
  access: SshAccess | undefined,
): Promise<readonly string[] | undefined> {
  if (canExec(provider)) return sshKeys;
  if (access === undefined) throw needsKey(provider);
  const file = `${access.identityFile}.pub`;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    if (sshKeys !== undefined) return null;
    const hint = "Write it with ssh-keygen -y, or pass the public key in sshKeys.";
    throw refusal("INVALID_SPEC", provider.name, "withInstance", `cannot read the public key ${file}`, { cause, hint });
  });
  const own = text?.trim();
  return own === undefined || sshKeys?.includes(own) === true ? sshKeys : [...(sshKeys ?? []), own];
}

/** Waits until an instance is running and its bootstrap, if it has one, has succeeded; then runs the body with a session. */
export async function prepared<T>(
  provider: Provider,
  id: string,
  options: Pick<BaseSpawnOptions, "bootstrap">,
  { signal, access, readyTimeoutMs = READY_TIMEOUT_MS }: ErasedOptions,
  body: InstanceWork<T>,
  clock: Clock,
): Promise<T> {
  const until = clock.now() + readyTimeoutMs;
  const instance = await waitForStatus(provider, id, "running", { clock, signal, timeoutMs: readyTimeoutMs });
  await using session = await sessionWithin(provider, id, access, { signal, clock, until });
  if (options.bootstrap !== undefined) {
    const wait = { signal, clock, timeoutMs: Math.max(1, until - clock.now()) };
    // What a guest reports over its provider comes late, or never where it may not: a session sees it itself.
    if (canReadBootstrap(provider) && canExec(provider)) await waitForBootstrap(provider, id, wait);
    else await waitForBootstrap(provider, id, { ...wait, from: sessionBootstrap(session) });
  }
  return await body(session, instance);
}

interface Within {
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly until: number;
}

/** The endpoint may be shown late, and sshd may be up after that. Nothing ran, so it is tried again. */
async function sessionWithin(
  provider: Provider,
  id: string,
  access: SshAccess | undefined,
  { signal, clock, until }: Within,
): Promise<Session> {
  if (canExec(provider)) return openNativeSession(provider, id, { clock });
  if (access === undefined) throw needsKey(provider);
  let refusedSince: number | null = null;
  for (;;) {
    try {
      return await connected(await openSession(provider, id, { ...access, signal }), {
        signal,
        timeoutMs: Math.max(1, until - clock.now()),
      });
    } catch (error) {
      if (!isProviderError(error)) throw error;
      const now = clock.now();
      if (error.code === "AUTH_ERROR") refusedSince ??= now;
      const passes = error.code === "AUTH_ERROR" ? now - (refusedSince ?? now) < KEY_GRACE_MS : error.retryable;
      if (!passes || now >= until) throw error;
    }
    await pause({ provider: provider.name, clock }, "withInstance", POLL_MS, signal);
  }
}

async function connected(session: Session, call: CallOptions): Promise<Session> {
  try {
    await session.exec(["true"], call);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function needsKey({ name }: Provider): Error {
  return refusal("UNSUPPORTED", name, "withInstance", `provider ${name} has no exec: pass access: { identityFile }`);
}
