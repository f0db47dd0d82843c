import { type Workflow, type WorkflowContract, workflow } from "@slipway/core";
import * as z from "zod/mini";
import { type SpawnInput, spawnInput, spawnOptions } from "./input.ts";
import { type AwsParts, launchSomewhere } from "./launch-somewhere.ts";

export interface MultiAzInput {
  readonly spawn: SpawnInput;
  /** Only these; all that sell the machine type if absent. */
  readonly zones?: readonly string[] | undefined;
}

export interface MultiAzOutput {
  readonly instanceId: string;
  readonly key: string;
  readonly region: string;
  readonly zone: string;
  readonly attempts: readonly { readonly zone: string; readonly outcome: string }[];
}

const input: z.ZodMiniType<MultiAzInput> = z.strictObject({
  spawn: spawnInput,
  zones: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
});

const output: z.ZodMiniType<MultiAzOutput> = z.object({
  instanceId: z.string(),
  key: z.string(),
  region: z.string(),
  zone: z.string(),
  attempts: z.array(z.object({ zone: z.string(), outcome: z.string() })),
});

/** One instance in whichever zone has capacity: at most one, whatever happens on the way. */
export function multiAz(parts: AwsParts): Workflow<MultiAzInput, MultiAzOutput> {
  return workflow<MultiAzInput, MultiAzOutput>({
    type: "aws.multi-az",
    version: 1,
    input,
    output,
    run: async (ctx, { spawn, zones }) => {
      const launched = await launchSomewhere(ctx, parts, spawnOptions(spawn), { zones });
      return { ...launched, attempts: launched.attempts.map((attempt) => ({ ...attempt })) };
    },
  });
}

export const multiAzContract: WorkflowContract<MultiAzInput, MultiAzOutput> = {
  validateInput: (given) => z.parse(input, given),
  requiredOutputFields: ["instanceId", "key", "region", "zone", "attempts"],
  maxDurationMs: 1_800_000,
};
