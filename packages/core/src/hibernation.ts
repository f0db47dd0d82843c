import type { Instance } from "./instance.ts";
import type { CallOptions } from "./options.ts";

/** Unlocked by `hibernation`. Only an instance spawned with `hibernation: true` can; another is INVALID_STATE. */
export interface HibernationMethods<TInstance extends Instance> {
  /** Resolves when the remote accepted it; the memory is kept. On one that is hibernated already it changes nothing. */
  readonly hibernate: (instanceId: string, call?: CallOptions) => Promise<TInstance>;
  /** Resolves when the remote accepted it. On a running one it changes nothing. */
  readonly resume: (instanceId: string, call?: CallOptions) => Promise<TInstance>;
}
