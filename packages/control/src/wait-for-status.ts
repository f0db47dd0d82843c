import {
  type Instance,
  type InstanceStatus,
  isProviderError,
  type Provider,
  ProviderError,
  projectProvider,
  systemClock,
} from "@slipway/core";
import { lastLines, lookerAt, type Poll, startPoll, type WaitOptions } from "./poll.ts";
import { sharedLooks } from "./shared-looks.ts";

const DEFAULT_TIMEOUT_MS = 600_000;
const FINAL: ReadonlySet<InstanceStatus> = new Set(["error", "terminated"]);

/** What a look at the instance decided: the answer, or null to look again. */
type Judge = (instance: Instance) => Instance | string | null;

/**
 * Waits until the instance has one of these statuses. Rejects with INVALID_STATE as soon as it is in `error` or
 * `terminated` (unless that is waited for), with NOT_FOUND if it is gone, with TIMEOUT after ten minutes or `timeoutMs`.
 * The message shows what the instance printed last, where the provider has logs. Changes nothing: the caller decides
 * whether to terminate. Waits with the same provider object share their looks: many cost one listing a tick, and `get`
 * decides for each instance whether its wait is over.
 *
 * @example
 * ```ts
 * const { id } = await provider.spawn({ key: "worker-1", spec: "m1.small" });
 * (await waitForStatus(provider, id, "running", { timeoutMs: 300_000 })).status; // => "running"
 * ```
 */
export async function waitForStatus(
  provider: Provider,
  id: string,
  status: InstanceStatus | readonly InstanceStatus[],
  options: WaitOptions = {},
): Promise<Instance> {
  const wanted: readonly InstanceStatus[] = typeof status === "string" ? [status] : status;
  const judge: Judge = (instance) => {
    if (wanted.includes(instance.status)) return instance;
    return FINAL.has(instance.status) ? reasonOf(instance) : null;
  };
  return watch(provider, id, judge, wanted.includes("terminated"), `be ${wanted.join(" or ")}`, options);
}

async function watch(
  exact: Provider,
  id: string,
  judge: Judge,
  endIsWanted: boolean,
  what: string,
  options: WaitOptions,
): Promise<Instance> {
  const provider: Provider = projectProvider<Provider>(exact);
  const looks = sharedLooks(exact, options.clock ?? systemClock);
  const poll = startPoll(provider.name, "waitForStatus", options, DEFAULT_TIMEOUT_MS, (ms) => looks.align(ms));
  const leave = looks.enter();
  const begun = poll.clock.now();
  const mustShow = (): boolean => poll.clock.now() - begun >= provider.limits.readAfterWriteMs;
  const attempt = lookerAt(provider, id, poll, looks, { mustShow, isFinal: (seen) => judge(seen) !== null });
  let last: Instance | undefined;
  try {
    for (let look = 0; ; look += 1) {
      poll.check();
      // A read that was begun too early proves nothing, however late it is answered.
      const isDue = mustShow();
      const seen = await attempt();
      if (typeof seen === "object" && seen !== null) {
        last = seen;
        const verdict = judge(seen);
        if (typeof verdict === "string") throw await failed(provider, id, what, verdict, poll);
        if (verdict !== null) return verdict;
      } else if (seen === null && isDue) {
        if (!endIsWanted) throw gone(provider.name, id, what);
        // Null and `terminated` mean the same; all else that is known of it was seen before.
        if (last !== undefined) return { ...last, status: "terminated" };
        throw gone(provider.name, id, what);
      }
      await poll.pause(look, undefined, typeof seen === "number" ? seen : 0);
    }
  } catch (error) {
    if (last === undefined || !isProviderError(error, "TIMEOUT")) throw error;
    // Why it still waits is known: an image that is not there, a node that is not free.
    throw new ProviderError("TIMEOUT", {
      message: `${id} could not ${what} in time: ${reasonOf(last)}`,
      provider: provider.name,
      operation: "waitForStatus",
      effect: "none",
      native: { id },
      cause: error,
    });
  } finally {
    leave();
    poll.release();
  }
}

function reasonOf(instance: Instance): string {
  const reason = instance.statusReason;
  return `it is ${instance.status}${reason === undefined ? "" : ` (${reason.code}: ${reason.message})`}`;
}

async function failed(
  provider: Provider,
  id: string,
  what: string,
  verdict: string,
  poll: Poll,
): Promise<ProviderError> {
  return new ProviderError("INVALID_STATE", {
    message: `${id} will not ${what}: ${verdict}${await lastLines(provider, id, poll.clock)}`,
    provider: provider.name,
    operation: "waitForStatus",
    effect: "none",
    native: { id },
    hint: "It may still cost money: terminate it when you have seen enough.",
  });
}

function gone(provider: string, id: string, what: string): ProviderError {
  return new ProviderError("NOT_FOUND", {
    message: `${id} will not ${what}: ${provider} has no such instance`,
    provider,
    operation: "waitForStatus",
    effect: "none",
    native: { id },
  });
}
