import { z } from "zod";
import type { BuiltinCapability, CapabilityMap, FurtherCapability } from "../capability.ts";
import { INSTANCE_STATUSES, type InstanceStatus } from "../instance.ts";
import { isKey } from "../key.ts";
import type { BaseListFilter, BaseSpawnOptions } from "../options.ts";
import { bootstrapSchema } from "./bootstrap.ts";
import { tied } from "./tied.ts";
import { time } from "./time.ts";

type Unlocked<A extends "spawn" | "list"> = {
  [K in BuiltinCapability | FurtherCapability]: CapabilityMap[K] extends { readonly [_ in A]: infer Options }
    ? (options: Options) => void
    : never;
}[BuiltinCapability | FurtherCapability];
type Intersection<A extends "spawn" | "list"> = Unlocked<A> extends (options: infer All) => void ? All : never;
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The base options of `spawn` and those that core's own capabilities unlock; which of them a provider takes, it says itself. */
export interface BuiltinSpawnOptions extends BaseSpawnOptions, Optional<Intersection<"spawn">> {}
/** The base fields of `list`'s filter and those that the eleven capabilities unlock. */
export interface BuiltinListFilter extends BaseListFilter, Optional<Intersection<"list">> {}

const text = z.string().min(1);
const above0 = z.number().positive();
const portNumber = z.int().min(1).max(65_535);
const key = z.string().refine(isKey, "must be 1 to 128 printable ASCII characters");

const spawnOptions = z.strictObject({
  signal: z.instanceof(AbortSignal).optional(),
  timeoutMs: above0.optional(),
  key: key.optional(),
  name: text.optional(),
  spec: text.optional(),
  resources: z
    .strictObject({ cpus: above0.optional(), memoryBytes: above0.optional(), diskBytes: above0.optional() })
    .optional(),
  image: text.optional(),
  bootstrap: bootstrapSchema.optional(),
  ports: z
    .array(
      z.strictObject({
        port: portNumber,
        protocol: z.enum(["tcp", "udp"]).optional(),
        hostPort: portNumber.optional(),
      }),
    )
    .optional(),
  sshKeys: z.array(z.string().regex(/^\S+ \S+[^\r\n]*$/, "must be a public key on one line")).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  expiresAt: time.optional(),
  maxUsdPerHour: above0.optional(),
  fromSnapshot: text.optional(),
  spot: z.strictObject({ maxUsdPerHour: above0.optional() }).optional(),
  gpu: z.strictObject({ type: text.optional(), count: z.int().min(1) }).optional(),
  region: text.optional(),
  volumes: z
    .array(z.strictObject({ id: text, mountPath: z.string().startsWith("/", "must be an absolute path") }))
    .optional(),
  warmVolume: text.optional(),
  terminateBy: time.optional(),
  hibernation: z.boolean().optional(),
  tailscale: z.strictObject({ authKey: text, hostname: text.optional(), tags: z.array(text).optional() }).optional(),
  network: z
    .strictObject({
      id: text.optional(),
      subnet: text.optional(),
      firewalls: z.array(text).optional(),
      isolated: z.boolean().optional(),
    })
    .optional(),
});

/** What `spawn` takes, from a file or another process. Capabilities of third parties bring their own. */
export const spawnOptionsSchema: z.ZodType<BuiltinSpawnOptions> = tied<BuiltinSpawnOptions>()(spawnOptions);

/** What `list` takes. */
export const listFilterSchema: z.ZodType<BuiltinListFilter> = tied<BuiltinListFilter>()(
  z.strictObject({
    ids: z.array(text).optional(),
    keys: z.array(text).optional(),
    // The list is typed as InstanceStatus[]; the enum wants to see that it is not empty.
    status: z.array(z.enum(INSTANCE_STATUSES as readonly [InstanceStatus, ...InstanceStatus[]])).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    owner: text.optional(),
    region: text.optional(),
  }),
);
