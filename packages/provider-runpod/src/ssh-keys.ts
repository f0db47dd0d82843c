import { type Clock, isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { RunpodClient } from "./client.ts";
import { refusal } from "./errors.ts";

/** The keys that the account has registered: without any, a pod that brings none is billed and has no sshd. */
export interface SshKeys {
  /** Throws INVALID_SPEC where there is none. Keys that were seen are believed for a while. */
  readonly mustBeThere: (call: Call) => Promise<void>;
  /** How many; undefined where the API key may not read them. */
  readonly count: (call: Call) => Promise<number | undefined>;
}

/** For start-up and health check; a spawn with keys of its own needs none, so it is no failure there. */
export const NO_KEYS_WARNING =
  "the RunPod account has no SSH key: a spawn needs sshKeys, or register one in RunPod's console under Settings";

const BELIEVED_MS = 5 * 60_000;

export function sshKeys(client: RunpodClient, clock: Clock): SshKeys {
  let seenAt = Number.NEGATIVE_INFINITY;
  const mustBeThere = async (call: Call): Promise<void> => {
    if (clock.now() - seenAt < BELIEVED_MS) return;
    const { operation } = call;
    const keys = await client.sshKeys(call).catch((error: unknown) => {
      throw isForbidden(error)
        ? refusal("AUTH_ERROR", operation, "this API key may not read the account's SSH keys", {
            hint: "Give the key the right account:read, or pass sshKeys, so that they need not be read.",
            cause: error,
          })
        : error;
    });
    if (keys.length === 0) {
      const message = "the RunPod account has no SSH key, so the pod would be billed and never be reachable";
      throw refusal("INVALID_SPEC", operation, message, {
        hint: "Pass sshKeys, or register a key in RunPod's console under Settings. For pods without sshd: probe: false.",
      });
    }
    seenAt = clock.now();
  };
  return {
    mustBeThere,
    count: async (call) => {
      try {
        return (await client.sshKeys(call)).length;
      } catch (error) {
        if (isForbidden(error)) return undefined;
        throw error;
      }
    },
  };
}

function isForbidden(error: unknown): boolean {
  return isProviderError(error) && error.native?.status === 403;
}
