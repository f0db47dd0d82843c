import { z } from "zod";
import type { BootstrapConfig, BootstrapScript } from "../bootstrap.ts";
import { tied } from "./tied.ts";

// Strict, as all that a user writes: a misspelt name would be ignored in silence.
const config = z.strictObject({
  script: z.string(),
  environment: z.record(z.string(), z.string()).optional(),
  files: z
    .array(
      z.strictObject({
        path: z.string().startsWith("/", "must be an absolute path"),
        content: z.string(),
        mode: z.string().min(1).optional(),
      }),
    )
    .optional(),
  features: z.array(z.enum(["docker", "tailscale"])).optional(),
  controlPlaneUrl: z.string().min(1).optional(),
  registrationToken: z.string().min(1).optional(),
  report: z.union([z.literal(true), z.strictObject({ url: z.string().min(1), token: z.string().min(1) })]).optional(),
});
const checksum = z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hex digits");
const script = z.strictObject({
  content: z.string(),
  format: z.enum(["cloud-init", "shell"]),
  checksum,
  byteLength: z.int().nonnegative(),
  stableChecksum: checksum.optional(),
});

/** What shall happen inside the instance, as a person writes it. */
export const bootstrapConfigSchema: z.ZodType<BootstrapConfig> = tied<BootstrapConfig>()(config);
/** A rendered bootstrap. That the checksum is its content's is checked by `spawn`. */
export const bootstrapScriptSchema: z.ZodType<BootstrapScript> = tied<BootstrapScript>()(script);
/** What `spawn` takes as `bootstrap`. */
export const bootstrapSchema: z.ZodType<BootstrapConfig | BootstrapScript> = tied<BootstrapConfig | BootstrapScript>()(
  z.union([script, config]),
);
