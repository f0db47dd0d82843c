import * as z from "zod/mini";

// What `orbctl` answers, as far as it is read. Keys that are newer than others are optional, and unknown ones are left alone.

export interface WireMachine {
  readonly id: string;
  readonly name: string;
  /** By their canonical names: `archlinux`, `noble`. */
  readonly image: {
    readonly distro: string;
    readonly version: string;
    readonly arch: string;
    readonly variant?: string | undefined;
  };
  readonly config: {
    readonly isolated?: boolean | undefined;
    readonly default_username: string;
    readonly cpu_limit?: number | undefined;
    readonly memory_limit_mib?: number | undefined;
    readonly disk_limit_bytes?: number | undefined;
  };
  readonly builtin: boolean;
  readonly state: string;
}

/** One machine with what only `info` tells. */
export interface WireInfo {
  readonly record: WireMachine;
  readonly disk_size?: number | undefined;
  /** Absent or empty unless it runs. */
  readonly ip4?: string | undefined;
  readonly ip6?: string | undefined;
}

const machine: z.ZodMiniType<WireMachine> = z.object({
  id: z.string(),
  name: z.string(),
  image: z._default(
    z.object({ distro: z.string(), version: z.string(), arch: z.string(), variant: z.optional(z.string()) }),
    { distro: "", version: "", arch: "" },
  ),
  config: z._default(
    z.object({
      isolated: z.optional(z.boolean()),
      default_username: z._default(z.string(), ""),
      cpu_limit: z.optional(z.number()),
      memory_limit_mib: z.optional(z.number()),
      disk_limit_bytes: z.optional(z.number()),
    }),
    { default_username: "" },
  ),
  builtin: z._default(z.boolean(), false),
  state: z.string(),
});

export const listAnswer: z.ZodMiniType<readonly WireMachine[]> = z.array(machine);
export const infoAnswer: z.ZodMiniType<WireInfo> = z.object({
  record: machine,
  disk_size: z.optional(z.number()),
  ip4: z.optional(z.string()),
  ip6: z.optional(z.string()),
});
