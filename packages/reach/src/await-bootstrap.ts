import { waitForBootstrap } from "@slipway/control";
import { type Clock, isProviderError, type Provider, ProviderError } from "@slipway/core";
import { BOOTSTRAP_LOG_PATH, BOOTSTRAP_SENTINEL_PATH, parseSentinel } from "@slipway/provider-kit/bootstrap";
import type { Session } from "./session.ts";

interface Wait {
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const POLL_MS = 1000;
const KEPT_LINES = 20;
const TAIL_MS = 10_000;

// The log is readable by root alone, and the log-in user of a cloud's image is often another.
const READ = `cat "$1" 2>/dev/null || sudo -n cat "$1" 2>/dev/null || true`;
const READ_TAIL = `tail -n ${KEPT_LINES} "$1" 2>/dev/null || sudo -n tail -n ${KEPT_LINES} "$1" 2>/dev/null || true`;

/**
 * Waits until the bootstrap has succeeded: as the provider itself reports it where the session is its own exec, by the
 * sentinel in the instance elsewhere. Rejects with INVALID_STATE, the exit code and the last lines if it failed.
 */
export async function awaitBootstrap(provider: Provider, session: Session, id: string, wait: Wait): Promise<void> {
  if (session.via === "native") {
    await waitForBootstrap(provider, id, wait);
    return;
  }
  const { clock, signal, timeoutMs } = wait;
  const until = clock.now() + timeoutMs;
  for (;;) {
    const call = { signal, timeoutMs: Math.max(1, until - clock.now()) };
    const { stdout } = await session.exec(["/bin/sh", "-c", READ, "sh", BOOTSTRAP_SENTINEL_PATH], call).catch(
      // It changes nothing, and a bootstrap may restart the network or sshd.
      (error: unknown) => {
        if (isProviderError(error) && error.retryable && clock.now() < until) return { stdout: "" };
        throw error;
      },
    );
    const { state, exitCode } = parseSentinel(stdout);
    if (state === "succeeded") return;
    if (state === "failed") throw await notDone(provider, session, id, `failed with exit code ${exitCode}`);
    if (clock.now() >= until) throw await notDone(provider, session, id, `did not end within ${timeoutMs} ms`);
    await clock.sleep(POLL_MS, signal);
  }
}

async function notDone(provider: Provider, session: Session, id: string, how: string): Promise<ProviderError> {
  // The instance waits for its end meanwhile.
  const { stdout } = await session
    .exec(["/bin/sh", "-c", READ_TAIL, "sh", BOOTSTRAP_LOG_PATH], { timeoutMs: TAIL_MS })
    .catch(() => ({ stdout: "" }));
  // What a machine printed is data: nothing in it may move a terminal's cursor.
  const lines = stdout.replaceAll(/[^\P{Cc}\n\t]/gu, "").trim();
  return new ProviderError(how.startsWith("failed") ? "INVALID_STATE" : "TIMEOUT", {
    message: `the bootstrap of ${id} ${how}${lines === "" ? "" : `. Its last lines:\n${lines}`}`,
    provider: provider.name,
    operation: "waitForBootstrap",
    effect: "none",
    native: { id },
  });
}
