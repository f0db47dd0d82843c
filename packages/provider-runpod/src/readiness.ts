import { abortError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./errors.ts";
import { statusOf } from "./instance.ts";
import type { Probe } from "./tcp-probe.ts";
import type { SeenPod, WirePod } from "./wire.ts";

/** Whether pods that RunPod calls RUNNING can really be reached. */
export interface Readiness {
  /** False: RunPod's `ssh.direct` is believed, and no sshd is needed. */
  readonly probes: boolean;
  /** One probe at most; a pod that answered is not asked again, and one that is not running has nothing to be reached. */
  readonly seen: (call: Call, pod: WirePod) => Promise<SeenPod>;
  /** The same for many, some at once. */
  readonly allSeen: (call: Call, pods: readonly WirePod[]) => Promise<readonly SeenPod[]>;
  readonly forget: (id: string) => void;
}

const MOST_REMEMBERED = 10_000;
const MOST_AT_ONCE = 32;

/** `probe` null: RunPod's `ssh.direct` is believed. */
export function readiness(probe: Probe | null, timeoutMs: number): Readiness {
  const answered = new Map<string, string>();
  const seen = async ({ operation, signal }: Call, pod: WirePod): Promise<SeenPod> => {
    const direct = pod.ssh?.direct;
    if (probe === null || direct === undefined || statusOf(pod) !== "running") return pod;
    // Every start gives another address.
    const address = `${direct.host}:${direct.port}`;
    if (answered.get(pod.id) === address) return pod;
    const answers = await probe({ host: direct.host, port: direct.port }, { timeoutMs, signal });
    if (answers) {
      if (answered.size >= MOST_REMEMBERED) answered.clear();
      answered.set(pod.id, address);
      return pod;
    }
    if (signal?.aborted === true) throw abortError(signal, { provider: PROVIDER, operation, effect: "none" });
    return { ...pod, isSilent: true };
  };
  return {
    probes: probe !== null,
    seen,
    allSeen: async (call, pods) => {
      const found: SeenPod[] = [];
      for (let at = 0; at < pods.length; at += MOST_AT_ONCE) {
        found.push(...(await Promise.all(pods.slice(at, at + MOST_AT_ONCE).map((pod) => seen(call, pod)))));
      }
      return found;
    },
    forget: (id) => {
      answered.delete(id);
    },
  };
}
