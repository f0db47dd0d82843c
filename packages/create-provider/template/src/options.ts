import type { Runtime } from "@slipway/core";
// #if http
import type { CredentialSource } from "@slipway/provider-kit/driver";
// #end
import { z } from "zod";

/** The settings that a config file may hold. */
export interface __Name__Config {
  // #if http
  /** Absent: the variable __NAME_ENV___API_KEY. */
  readonly apiKey?: string | undefined;
  /** Where the API is; absent: the variable __NAME_ENV___BASE_URL, or the remote's own. */
  readonly baseUrl?: string | undefined;
  // #end
  // #if cli
  /** The program; absent: the variable __NAME_ENV___COMMAND, or `__NAME__ctl` on the PATH. */
  readonly command?: string | undefined;
  // #end
  // #if multiRegion
  /** Where instances may be; the first one is meant where a spawn names none. */
  readonly regions?: readonly string[] | undefined;
  // #end
}

// #if http
export interface __Name__Options extends Omit<__Name__Config, "apiKey"> {
  /** A function is asked once, and once more after AUTH_ERROR: for keys that are renewed. */
  readonly apiKey?: CredentialSource | undefined;
// #end
// #if cli
export interface __Name__Options extends __Name__Config {
// #end
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** Where a setting that is not given stands; `register` and the factory read the same. */
export const ENVIRONMENT = {
  // #if http
  apiKey: {
    variable: "__NAME_ENV___API_KEY",
    required: {
      message: "there is no API key for __NAME__",
      hint: "Set __NAME_ENV___API_KEY, or give apiKey in the config.",
    },
  },
  baseUrl: { variable: "__NAME_ENV___BASE_URL" },
  // #end
  // #if cli
  command: { variable: "__NAME_ENV___COMMAND" },
  // #end
} as const;

/** The options as the parts use them. */
// #if http
export type __Name__Settings = __Name__Options & { readonly apiKey: CredentialSource };
// #end
// #if cli
export type __Name__Settings = __Name__Options;
// #end

// #if http
export const DEFAULT_BASE_URL = "https://api.__NAME__.example/v1/";
// #end
// #if cli
export const DEFAULT_COMMAND = "__NAME__ctl";
// #end
// #if multiRegion
export const DEFAULT_REGIONS: readonly string[] = ["north", "south"];
// #end

export const configSchema: z.ZodType<__Name__Config> = z.strictObject({
  // #if http
  // What may stand in a header as it is.
  apiKey: z.string().regex(/^[\x21-\x7e]+$/, "must be printable characters without spaces").optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  // #end
  // #if cli
  command: z.string().min(1).optional(),
  // #end
  // #if multiRegion
  regions: z
    .array(z.string().min(1))
    .min(1)
    .refine((names) => new Set(names).size === names.length, "must not name a region twice")
    .optional(),
  // #end
});
