import { z } from "zod";

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

const machine: z.ZodType<WireMachine> = z.object({
  id: z.string(),
  name: z.string(),
  image: z
    .object({ distro: z.string(), version: z.string(), arch: z.string(), variant: z.string().optional() })
    .default({ distro: "", version: "", arch: "" }),
  config: z
    .object({
      isolated: z.boolean().optional(),
      default_username: z.string().default(""),
      cpu_limit: z.number().optional(),
      memory_limit_mib: z.number().optional(),
      disk_limit_bytes: z.number().optional(),
    })
    .default({ default_username: "" }),
  builtin: z.boolean().default(false),
  state: z.string(),
});

export const listAnswer: z.ZodType<readonly WireMachine[]> = z.array(machine);
export const infoAnswer: z.ZodType<WireInfo> = z.object({
  record: machine,
  disk_size: z.number().optional(),
  ip4: z.string().optional(),
  ip6: z.string().optional(),
});
