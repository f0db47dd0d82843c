import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { regionOf } from "./remote.ts";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** The settings that a config file may hold. */
export interface GcpConfig {
  /** The project's id. Absent: the variable GOOGLE_CLOUD_PROJECT. */
  readonly project?: string | undefined;
  /** A ready access token, which lives an hour at most. Absent: the variable GCP_ACCESS_TOKEN, else Google's credentials. */
  readonly token?: string | undefined;
  /** Where the API is; absent: the variable GCP_BASE_URL, or Google's own. For emulators and proxies. */
  readonly baseUrl?: string | undefined;
  /** Where instances may be; the regions follow from them, in their order. Four zones of us-central1 if absent. */
  readonly zones?: readonly string[] | undefined;
  /** The machine type where neither `spec` nor `resources` nor `gpu` says one; `e2-medium` if absent. */
  readonly defaultSpec?: string | undefined;
  /** The image where the spawn says none, as `project/family` or as a path; Ubuntu 24.04 if absent. */
  readonly image?: string | undefined;
  /** Of the boot disk, gigabytes; the image's own size if absent. */
  readonly bootDiskGb?: number | undefined;
  /** As `pd-balanced`; Google's own choice if absent. */
  readonly bootDiskType?: string | undefined;
  /** A name or path; the project's network `default` if absent. */
  readonly network?: string | undefined;
  /** A name (in the instance's region) or a path; a network in custom mode needs one. */
  readonly subnetwork?: string | undefined;
  /** Whether instances get an external address; true if absent. */
  readonly publicAddress?: boolean | undefined;
  /** The e-mail of the service account that instances run as; none if absent. */
  readonly serviceAccount?: string | undefined;
  /** For whom `sshKeys` are set up; `slipway` if absent. */
  readonly sshUser?: string | undefined;
  /** What becomes of a spot instance that Google reclaims; DELETE if absent, since a stopped one holds name and disk. */
  readonly spotTermination?: "DELETE" | "STOP" | undefined;
  /** True: also the metadata server of the machine that this runs on is asked for credentials. False if absent. */
  readonly metadataServer?: boolean | undefined;
  /** How long lists may lag behind writes, milliseconds; 10 000 if absent. */
  readonly readAfterWriteMs?: number | undefined;
  /** The project's budget for each group of methods; 1 500 if absent, as Google documents it. */
  readonly requestsPerMinute?: number | undefined;
}

export interface GcpOptions extends Omit<GcpConfig, "project"> {
  readonly project: string;
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  /** Gives an access token whenever one is needed, instead of Google's credentials: for brokers, emulators and tests. */
  readonly accessToken?: (() => Promise<string>) | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_BASE_URL = "https://compute.googleapis.com/compute/v1/";
export const DEFAULT_ZONES: readonly string[] = ["us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f"];
export const DEFAULT_SPEC = "e2-medium";
export const DEFAULT_IMAGE = "ubuntu-os-cloud/ubuntu-2404-lts-amd64";

const label = z
  .string()
  .check(z.regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be a name of lower-case letters, digits and dashes"));
const zone = label.check(z.refine((name) => regionOf(name) !== "", "must be a zone, as us-central1-a"));
// What may stand in a header as it is.
const token = z.string().check(z.regex(/^[\x21-\x7e]+$/, "must be printable characters without spaces"));
const path = z.string().check(z.regex(/^[A-Za-z0-9._:/-]{1,300}$/, "must be a name or a path of Google's"));

export const configSchema: z.ZodMiniType<GcpConfig> = z.strictObject({
  project: z.optional(z.string().check(z.regex(/^[a-z0-9.:-]{1,127}$/, "must be a project's id"))),
  token: z.optional(token),
  baseUrl: z.optional(z.url({ protocol: /^https?$/ })),
  zones: z.optional(
    z.array(zone).check(
      z.minLength(1),
      z.refine((names) => new Set(names).size === names.length, "must not name a zone twice"),
    ),
  ),
  defaultSpec: z.optional(label),
  image: z.optional(path),
  bootDiskGb: z.optional(z.int().check(z.gte(10))),
  bootDiskType: z.optional(label),
  network: z.optional(path),
  subnetwork: z.optional(path),
  publicAddress: z.optional(z.boolean()),
  serviceAccount: z.optional(z.email()),
  sshUser: z.optional(z.string().check(z.regex(/^[a-z_][-a-z0-9_]{0,31}$/, "must be a user's name"))),
  spotTermination: z.optional(z.enum(["DELETE", "STOP"])),
  metadataServer: z.optional(z.boolean()),
  readAfterWriteMs: z.optional(z.number().check(z.nonnegative())),
  requestsPerMinute: z.optional(z.number().check(z.positive())),
});
