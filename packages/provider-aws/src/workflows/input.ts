import { isProviderError } from "@slipway/core";
import * as z from "zod/mini";
import type { AwsProvider } from "../provider.ts";
import type { AWSSpawnOptions } from "../request.ts";

const SIGNALS: ReadonlySet<string> = new Set(["key", "signal", "timeoutMs"]);

/**
 * What is spawned, as `spawn` takes it: plain JSON, since a journal keeps it. No secret belongs in it. Key and time
 * limits are the workflow's own.
 */
export type SpawnInput = Readonly<Record<string, z.core.util.JSONType>>;

export const spawnInput: z.ZodMiniType<SpawnInput> = z.record(z.string(), z.json()).check(
  z.refine((options) => Object.keys(options).every((name) => !SIGNALS.has(name)), {
    message: "key, signal and timeoutMs are not the caller's here",
  }),
);

/** Throws what `spawn` would throw for these options before any call; nothing is sent. */
export async function checkSpawn({ spawn }: Pick<AwsProvider, "spawn">, options: AWSSpawnOptions): Promise<void> {
  try {
    // What is wrong comes before what was cancelled.
    await spawn({ ...options, signal: AbortSignal.abort() });
  } catch (error) {
    if (!isProviderError(error, "CANCELLED")) throw error;
  }
}

/** The options as `spawn` takes them; it checks them again, as those of every caller without types. */
export function spawnOptions(input: SpawnInput): AWSSpawnOptions {
  // JSON of the right shape or not: the provider's own check decides, before any call.
  return input;
}
