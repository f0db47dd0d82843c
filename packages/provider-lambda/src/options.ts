import type { Runtime } from "@slipway/core";
import type { CredentialSource } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** The settings that a config file may hold. */
export interface LambdaConfig {
  /** Absent: the variable LAMBDA_API_KEY. */
  readonly apiKey?: string | undefined;
  /** Where the API is; absent: the variable LAMBDA_BASE_URL, or Lambda's own. For emulators and proxies. */
  readonly baseUrl?: string | undefined;
  /** Where instances may be, in the order in which they are tried. All documented regions if absent. */
  readonly regions?: readonly string[] | undefined;
  /** The account's SSH key, by name, for a spawn that gives no `sshKeys`. */
  readonly sshKeyName?: string | undefined;
  /** How long Lambda's reads may lag behind its writes, milliseconds; 10 000 if absent. */
  readonly readAfterWriteMs?: number | undefined;
  /** The account's budget for all requests together; 1 if absent, as Lambda documents it. */
  readonly requestsPerSecond?: number | undefined;
  /** The account's budget for launches; 12 if absent, as Lambda documents it. */
  readonly secondsPerLaunch?: number | undefined;
}

export interface LambdaOptions extends Omit<LambdaConfig, "apiKey"> {
  /** A function is asked once, and once more after AUTH_ERROR: for keys that are renewed. Absent: LAMBDA_API_KEY. */
  readonly apiKey?: CredentialSource | undefined;
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_BASE_URL = "https://cloud.lambda.ai/api/v1/";

/** The regions of Lambda's API document; a configured region may be any other. */
export const DOCUMENTED_REGIONS: readonly string[] = [
  "us-west-1",
  "us-west-2",
  "us-west-3",
  "us-east-1",
  "us-east-2",
  "us-east-3",
  "us-south-1",
  "us-south-2",
  "us-south-3",
  "us-midwest-1",
  "us-midwest-2",
  "europe-central-1",
  "me-west-1",
  "asia-south-1",
  "asia-northeast-1",
  "asia-northeast-2",
  "australia-east-1",
];

// What may stand in a header as it is.
const apiKey = z.string().check(z.regex(/^[\x21-\x7e]+$/, "must be printable characters without spaces"));
const regionName = z.string().check(z.regex(/^[a-z0-9-]{1,64}$/, "must be a region's code, as us-west-1"));
const above = z.number().check(z.positive());

/** Where a setting that is not given stands; `register` and the factory read the same. */
export const ENVIRONMENT = {
  apiKey: {
    variable: "LAMBDA_API_KEY",
    required: {
      message: "there is no API key for Lambda",
      hint: "Set LAMBDA_API_KEY, or give apiKey in the config.",
    },
  },
  baseUrl: { variable: "LAMBDA_BASE_URL" },
} as const;

/** The options as the parts use them. */
export type LambdaSettings = LambdaOptions & { readonly apiKey: CredentialSource };

export const configSchema: z.ZodMiniType<LambdaConfig> = z.strictObject({
  apiKey: z.optional(apiKey),
  baseUrl: z.optional(z.url({ protocol: /^https?$/ })),
  regions: z.optional(
    z.array(regionName).check(
      z.minLength(1),
      z.refine((names) => new Set(names).size === names.length, "must not name a region twice"),
    ),
  ),
  sshKeyName: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
  readAfterWriteMs: z.optional(z.number().check(z.nonnegative())),
  requestsPerSecond: z.optional(above),
  secondsPerLaunch: z.optional(above),
});
