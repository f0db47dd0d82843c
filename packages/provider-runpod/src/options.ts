import type { Runtime } from "@slipway/core";
import type { CredentialSource } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import type { Probe } from "./tcp-probe.ts";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** The settings that a config file may hold. */
export interface RunpodConfig {
  /** Absent: the variable RUNPOD_API_KEY. */
  readonly apiKey?: string | undefined;
  /** Where REST v2 is; absent: the variable RUNPOD_BASE_URL, or RunPod's own. For emulators and proxies. */
  readonly baseUrl?: string | undefined;
  /** Where pods may be, in the order of preference. Absent: wherever the catalog lists stock. */
  readonly dataCenters?: readonly string[] | undefined;
  /** `SECURE` if absent. `ALL`: both, whatever has stock and costs less first. */
  readonly cloud?: "SECURE" | "COMMUNITY" | "ALL" | undefined;
  /** The container image for a spawn that names none. */
  readonly image?: string | undefined;
  /** The container disk of a spawn without `resources.diskBytes`, GB; 20 if absent. Wiped at every stop. */
  readonly diskGb?: number | undefined;
  /** False: `get` believes RunPod's `ssh.direct` and opens no connection of its own. True if absent. */
  readonly probe?: boolean | undefined;
  /** How long one probe may take, milliseconds; 3 000 if absent. */
  readonly probeTimeoutMs?: number | undefined;
  /** How long RunPod's reads may lag behind its writes, milliseconds; 10 000 if absent. */
  readonly readAfterWriteMs?: number | undefined;
  /** The account's budget in RunPod's three windows; 60, 3 000 and 50 000 if absent, the numbers of its specification. */
  readonly requestsPerMinute?: number | undefined;
  readonly requestsPerHour?: number | undefined;
  readonly requestsPerDay?: number | undefined;
}

export interface RunpodOptions extends Omit<RunpodConfig, "apiKey" | "probe"> {
  /** A function is asked once, and once more after AUTH_ERROR: for keys that are renewed. Absent: RUNPOD_API_KEY. */
  readonly apiKey?: CredentialSource | undefined;
  /** Whose pods these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  /** Says whether sshd answers; false: `ssh.direct` is believed. A TCP connection if absent. */
  readonly probe?: Probe | boolean | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_BASE_URL = "https://api.runpod.io/v2/";
/** One of RunPod's own: it starts sshd from PUBLIC_KEY, and hosts often have it already. */
export const DEFAULT_IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404";
export const DEFAULT_DISK_GB = 20;

// What may stand in a header as it is.
const apiKey = z.string().check(z.regex(/^[\x21-\x7e]+$/, "must be printable characters without spaces"));
const dataCenter = z.string().check(z.regex(/^[A-Za-z0-9-]{1,64}$/, "must be a data centre's id, as EU-RO-1"));
const above = z.number().check(z.positive());

/** Where a setting that is not given stands; `register` and the factory read the same. */
export const ENVIRONMENT = {
  apiKey: {
    variable: "RUNPOD_API_KEY",
    required: {
      message: "there is no API key for RunPod",
      hint: "Set RUNPOD_API_KEY, or give apiKey in the config.",
    },
  },
  baseUrl: { variable: "RUNPOD_BASE_URL" },
} as const;

/** The options as the parts use them. */
export type RunpodSettings = RunpodOptions & { readonly apiKey: CredentialSource };

export const configSchema: z.ZodMiniType<RunpodConfig> = z.strictObject({
  apiKey: z.optional(apiKey),
  baseUrl: z.optional(z.url({ protocol: /^https?$/ })),
  dataCenters: z.optional(
    z.array(dataCenter).check(
      z.minLength(1),
      z.refine((names) => new Set(names).size === names.length, "must not name a data centre twice"),
    ),
  ),
  cloud: z.optional(z.enum(["SECURE", "COMMUNITY", "ALL"])),
  image: z.optional(z.string().check(z.minLength(1))),
  diskGb: z.optional(z.int().check(z.gte(1))),
  probe: z.optional(z.boolean()),
  probeTimeoutMs: z.optional(above),
  readAfterWriteMs: z.optional(z.number().check(z.nonnegative())),
  requestsPerMinute: z.optional(z.number().check(z.gte(2))),
  requestsPerHour: z.optional(z.number().check(z.gte(2))),
  requestsPerDay: z.optional(z.number().check(z.gte(2))),
});
