import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** A pair of keys as IAM gives it, or a session's. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** The settings that a config file may hold. */
export interface AwsConfig {
  /** Absent: the variables AWS_ACCESS_KEY_ID and so on, else the SDK's own chain (profiles, SSO, roles). */
  readonly credentials?: AwsCredentials | undefined;
  /** Where instances may be; the first is where a spawn goes that names none. Absent: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1. */
  readonly regions?: readonly string[] | undefined;
  /** The address of all services, for emulators and proxies; absent: AWS_ENDPOINT_URL, else AWS's own. */
  readonly endpoint?: string | undefined;
  /** The machine type of a spawn that names neither spec, resources nor gpu; `t3.micro` if absent. */
  readonly defaultSpec?: string | undefined;
  /** The image of a spawn that names none: an `ami-…`, or the name of an SSM parameter. Amazon Linux 2023 if absent. */
  readonly defaultImage?: string | undefined;
  /** The IAM instance profile of every instance, by name; none if absent. */
  readonly instanceProfile?: string | undefined;
  /** What a T3, T3a, T4g or T2 instance does beyond its share of the CPU: `standard` slows down, `unlimited` is billed more. `standard` if absent. */
  readonly cpuCredits?: "standard" | "unlimited" | undefined;
  /** How long EC2's reads may lag behind its writes, milliseconds; 30 000 if absent. */
  readonly readAfterWriteMs?: number | undefined;
  /** How much of the account's published request limits this provider may use, above 0 and at most 1; 0.8 if absent. */
  readonly share?: number | undefined;
}

export interface AwsOptions extends AwsConfig {
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_REGION = "us-east-1";
export const DEFAULT_SPEC = "t3.micro";
export const DEFAULT_READ_AFTER_WRITE_MS = 30_000;
export const DEFAULT_SHARE = 0.8;

/** What the options leave out, from the environment's variables: `register` and `aws` read the same ones. */
export function withEnvironment(
  options: AwsOptions,
  variables: Readonly<Record<string, string | undefined>>,
): AwsOptions {
  const valueOf = (...names: readonly string[]): string | undefined =>
    names.map((name) => variables[name]).find((value) => value !== undefined && value !== "");
  const region = valueOf("AWS_REGION", "AWS_DEFAULT_REGION");
  return {
    ...options,
    credentials: options.credentials ?? credentialsFrom(valueOf),
    regions: options.regions ?? (region === undefined ? undefined : [region]),
    endpoint: options.endpoint ?? valueOf("AWS_ENDPOINT_URL"),
  };
}

/** Both halves or nothing: what else a variable says is the SDK's to read. */
function credentialsFrom(valueOf: (name: string) => string | undefined): AwsCredentials | undefined {
  const accessKeyId = valueOf("AWS_ACCESS_KEY_ID");
  const secretAccessKey = valueOf("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = valueOf("AWS_SESSION_TOKEN");
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

// What may stand in a header as it is.
const keyText = z.string().check(z.regex(/^[\x21-\x7e]+$/, "must be printable characters without spaces"));
const regionName = z
  .string()
  .check(z.regex(/^[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}$/, "must be a region's code, as us-east-1"));

export const configSchema: z.ZodMiniType<AwsConfig> = z.strictObject({
  credentials: z.optional(
    z.strictObject({ accessKeyId: keyText, secretAccessKey: keyText, sessionToken: z.optional(keyText) }),
  ),
  regions: z.optional(
    z.array(regionName).check(
      z.minLength(1),
      z.refine((names) => new Set(names).size === names.length, "must not name a region twice"),
    ),
  ),
  endpoint: z.optional(z.url({ protocol: /^https?$/ })),
  defaultSpec: z.optional(z.string().check(z.regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, "must be a machine type, as t3.micro"))),
  defaultImage: z.optional(z.string().check(z.minLength(1), z.maxLength(1024))),
  instanceProfile: z.optional(
    z.string().check(z.regex(/^[\w+=,.@-]{1,128}$/, "must be the name of an instance profile")),
  ),
  cpuCredits: z.optional(z.enum(["standard", "unlimited"])),
  readAfterWriteMs: z.optional(z.number().check(z.nonnegative())),
  share: z.optional(z.number().check(z.positive(), z.lte(1))),
});
