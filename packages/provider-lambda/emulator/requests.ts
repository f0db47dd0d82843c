import { z } from "zod";
import { refuseParameters } from "./answers.ts";
import { EMULATED_REGIONS } from "./catalogue.ts";

// Requests are judged by the rules of the API document: unknown fields, enums, lengths and patterns.

const REGIONS = EMULATED_REGIONS.map(({ name }) => name);
const regionName = z.string().refine((name) => REGIONS.includes(name), "Input is not a valid region");
const USER_DATA_MAX = 1_000_000;

const launch = z.strictObject({
  region_name: regionName,
  instance_type_name: z.string().min(1),
  ssh_key_names: z.array(z.string().min(1)).length(1),
  quantity: z.literal(1, "Input should be less than or equal to 1").optional(),
  file_system_names: z.array(z.string().min(1)).optional(),
  file_system_mounts: z
    .array(
      z.strictObject({
        mount_point: z
          .string()
          .max(256)
          .regex(/^(\/home|\/lambda\/nfs|\/data)[/a-zA-Z0-9-]*$/),
        file_system_id: z.string().min(1),
      }),
    )
    .optional(),
  hostname: z
    .string()
    .regex(/^[a-z0-9][0-9a-z-]{0,62}$/)
    .optional(),
  name: z.string().max(64).optional(),
  image: z.union([z.strictObject({ id: z.uuid() }), z.strictObject({ family: z.string().min(1) })]).optional(),
  user_data: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= USER_DATA_MAX, "String is too large")
    .optional(),
  tags: z
    .array(
      z.strictObject({
        key: z
          .string()
          .max(55)
          .regex(/^[a-z][a-z0-9-:]+$/)
          .refine((key) => !key.startsWith("lambda-ai-"), "The prefix is reserved"),
        value: z.string().max(128),
      }),
    )
    .refine((tags) => new Set(tags.map(({ key }) => key)).size === tags.length, "Keys must be unique")
    .optional(),
  firewall_rulesets: z
    .array(z.strictObject({ id: z.string() }))
    .max(0, "Specified ruleset does not exist")
    .optional(),
});

export interface LaunchRequest {
  readonly region_name: string;
  readonly instance_type_name: string;
  readonly ssh_key_names: readonly string[];
  readonly file_system_names?: readonly string[] | undefined;
  readonly file_system_mounts?:
    | readonly { readonly mount_point: string; readonly file_system_id: string }[]
    | undefined;
  readonly hostname?: string | undefined;
  readonly name?: string | undefined;
  readonly image?: { readonly id: string } | { readonly family: string } | undefined;
  readonly user_data?: string | undefined;
  readonly tags?: readonly { readonly key: string; readonly value: string }[] | undefined;
}

export const launchRequest: z.ZodType<LaunchRequest> = launch;
export const idsRequest: z.ZodType<{ readonly instance_ids: readonly string[] }> = z.strictObject({
  instance_ids: z.array(z.string()).min(1),
});
export const sshKeyRequest: z.ZodType<{ readonly name: string; readonly public_key?: string | undefined }> =
  z.strictObject({ name: z.string().min(1).max(64), public_key: z.string().min(1).max(4096).optional() });
export const fileSystemRequest: z.ZodType<{ readonly name: string; readonly region: string }> = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(60)
    .regex(/^[a-zA-Z]+[0-9a-zA-Z-]*$/),
  region: regionName,
});

/** The body as the document wants it, or `invalid-parameters` with the field and what is wrong with it. */
export function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuseParameters(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "Input is invalid"}`);
}
