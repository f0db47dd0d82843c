import { z } from "zod";
import { INSTANCE_STATUSES, type Instance, type InstanceStatus } from "../instance.ts";
import type { Price } from "../price.ts";
import { tied } from "./tied.ts";
import { time } from "./time.ts";

// Results are read tolerantly: a field that a newer contract added is dropped.
const price = z.object({
  usdPerHour: z.number().nonnegative(),
  per: z.literal("instance"),
  asOf: time,
  source: z.enum(["live", "catalogue"]),
});

/** What an hour costs. */
export const priceSchema: z.ZodType<Price> = tied<Price>()(price);

// The list is typed as InstanceStatus[]; the enum wants to see that it is not empty.
const status = z.enum(INSTANCE_STATUSES as readonly [InstanceStatus, ...InstanceStatus[]]);
const gpus = z.object({ type: z.string(), count: z.number() });

/** An instance as every provider answers it through the contract; a provider's own fields are dropped. */
export const instanceSchema: z.ZodType<Instance> = tied<Instance>()(
  z.object({
    id: z.string().min(1),
    status,
    provider: z.string().min(1),
    nativeId: z.string(),
    key: z.string().nullable(),
    owner: z.string().nullable(),
    statusReason: z.object({ code: z.string(), message: z.string() }).exactOptional(),
    region: z.string().exactOptional(),
    zone: z.string().exactOptional(),
    spec: z.string().exactOptional(),
    image: z.string().exactOptional(),
    resources: z
      .object({
        cpus: z.number().exactOptional(),
        memoryBytes: z.number().exactOptional(),
        diskBytes: z.number().exactOptional(),
        gpus: gpus.exactOptional(),
      })
      .exactOptional(),
    addresses: z.object({
      publicIpv4: z.string().exactOptional(),
      privateIpv4: z.string().exactOptional(),
      ipv6: z.string().exactOptional(),
    }),
    ssh: z.object({ host: z.string(), port: z.number(), user: z.string() }).exactOptional(),
    isSpot: z.boolean(),
    bootstrap: z
      .object({
        state: z.enum(["pending", "running", "succeeded", "failed", "unknown"]),
        exitCode: z.number().exactOptional(),
      })
      .exactOptional(),
    labels: z.record(z.string(), z.string()),
    price: price.exactOptional(),
    createdAt: time.nullable(),
    expiresAt: time.exactOptional(),
    terminateBy: z.object({ at: time, by: z.enum(["remote", "machine"]) }).exactOptional(),
  }),
);
