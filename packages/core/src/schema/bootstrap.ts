import { z } from "zod";
import {
  type BootstrapConfig,
  type BootstrapScript,
  bootstrapConfigShape,
  bootstrapScriptShape,
} from "../bootstrap.ts";
import { requestSchema } from "./from-shape.ts";

/** What shall happen inside the instance, as a person writes it. */
export const bootstrapConfigSchema: z.ZodType<BootstrapConfig> = requestSchema<BootstrapConfig>(bootstrapConfigShape);
/** A rendered bootstrap. That the checksum is its content's is checked by `spawn`. */
export const bootstrapScriptSchema: z.ZodType<BootstrapScript> = requestSchema<BootstrapScript>(bootstrapScriptShape);
/** What `spawn` takes as `bootstrap`. */
export const bootstrapSchema: z.ZodType<BootstrapConfig | BootstrapScript> = z.union([
  bootstrapScriptSchema,
  bootstrapConfigSchema,
]);
