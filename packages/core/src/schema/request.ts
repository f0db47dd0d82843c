import { z } from "zod";
import {
  type BootstrapConfig,
  type BootstrapScript,
  bootstrapConfigShape,
  bootstrapScriptShape,
} from "../bootstrap.ts";
import type { BuiltinCapability, CapabilityMap, FurtherCapability } from "../capability.ts";
import { type CapabilityRow, capabilityTable, furtherCapabilities } from "../capability-table.ts";
import { type BaseListFilter, type BaseSpawnOptions, filterShape, spawnShape } from "../options.ts";
import type { RequestShapeOf } from "../shape.ts";
import { requestSchema } from "./from-shape.ts";

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

/** All that core's own capabilities unlock; which of them a provider has, it says itself. */
function unlocked<A extends "spawn" | "list">(aspect: A): RequestShapeOf<Optional<Intersection<A>>> {
  const rows: readonly CapabilityRow[] = Object.values({ ...capabilityTable, ...furtherCapabilities });
  const options = rows.flatMap((row) => Object.entries(row[aspect]));
  // The types of the two tables demand the shape of every option, and of no other.
  return Object.fromEntries(options.map(([name, shape]) => [`${name}?`, shape])) as RequestShapeOf<
    Optional<Intersection<A>>
  >;
}

/** What `spawn` takes, from a file or another process. Capabilities of third parties bring their own. */
export const spawnOptionsSchema: z.ZodType<BuiltinSpawnOptions> = requestSchema<BuiltinSpawnOptions>({
  ...spawnShape,
  ...unlocked("spawn"),
});

/** What `list` takes. */
export const listFilterSchema: z.ZodType<BuiltinListFilter> = requestSchema<BuiltinListFilter>({
  ...filterShape,
  ...unlocked("list"),
});

/** What shall happen inside the instance, as a person writes it. */
export const bootstrapConfigSchema: z.ZodType<BootstrapConfig> = requestSchema<BootstrapConfig>(bootstrapConfigShape);
/** A rendered bootstrap. That the checksum is its content's is checked by `spawn`. */
export const bootstrapScriptSchema: z.ZodType<BootstrapScript> = requestSchema<BootstrapScript>(bootstrapScriptShape);
/** What `spawn` takes as `bootstrap`. */
export const bootstrapSchema: z.ZodType<BootstrapConfig | BootstrapScript> = z.union([
  bootstrapScriptSchema,
  bootstrapConfigSchema,
]);
