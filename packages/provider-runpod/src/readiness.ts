import { statusOf } from "./instance.ts";
import type { Probe } from "./tcp-probe.ts";
import type { WirePod } from "./wire.ts";

/** Whether pods that RunPod calls RUNNING can really be reached. */
export interface Readiness {
  /** True for what is not running: it has nothing to be reached. One probe at most; a pod that answered is not asked again. */
  readonly reached: (pod: WirePod, signal: AbortSignal | undefined) => Promise<boolean>;
  readonly forget: (id: string) => void;
}

const MOST_REMEMBERED = 10_000;

/** `null`: RunPod's `ssh.direct` is believed. */
export function readiness(probe: Probe | null, timeoutMs: number): Readiness {
  const answered = new Map<string, string>();
  return {
    reached: async (pod, signal) => {
      const direct = pod.ssh?.direct;
      if (probe === null || direct === undefined || statusOf(pod) !== "running") return true;
      // Every start gives another address.
      const address = `${direct.host}:${direct.port}`;
      if (answered.get(pod.id) === address) return true;
      const answers = await probe({ host: direct.host, port: direct.port }, { timeoutMs, signal });
      if (answered.size >= MOST_REMEMBERED) answered.clear();
      if (answers) answered.set(pod.id, address);
      return answers;
    },
    forget: (id) => {
      answered.delete(id);
    },
  };
}
