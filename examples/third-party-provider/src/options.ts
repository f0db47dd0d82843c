import type { Runtime } from "@slipway/core";
import { z } from "zod";

/** One machine, or one place on it: whoever names it twice with two directories has two. */
export interface SshHost {
  /** What `ssh` is called with: a name of ssh's own configuration, or `user@address`. Also the instance's zone. */
  readonly name: string;
  /** Where claims are kept there; `.slipway` in the login's home if absent. */
  readonly directory?: string | undefined;
}

/** The settings that a config file may hold. */
export interface SshHostsConfig {
  readonly hosts: readonly SshHost[];
  /** ssh's configuration file; its own if absent. */
  readonly sshConfig?: string | undefined;
  /** How long a connection may take to come about, seconds; 10 if absent. */
  readonly connectTimeoutSeconds?: number | undefined;
}

export interface SshHostsOptions extends SshHostsConfig {
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_DIRECTORY = ".slipway";

/** How a host is named in ids, and as a zone. */
export function placeOf({ name, directory }: SshHost): string {
  return directory === undefined ? name : `${name}:${directory}`;
}

/** The id names the place and the claim: enough for any process that has the same hosts. */
export function idOf(host: SshHost, claim: string): string {
  return `${placeOf(host)}/${claim}`;
}

// A name that begins with a dash would be an option of ssh.
const hostName = z.string().regex(/^[A-Za-z0-9][\w.@:%-]{0,254}$/, "must be a name as ssh takes it");
const directory = z.string().regex(/^[\w./-]+$/, "must be a path of letters, digits, dots, dashes and underscores");
const host = z.strictObject({ name: hostName, directory: directory.optional() });

export const configSchema: z.ZodType<SshHostsConfig> = z.strictObject({
  hosts: z
    .array(host)
    .min(1)
    .refine(
      (hosts) => new Set(hosts.map((one) => `${one.name} ${one.directory ?? DEFAULT_DIRECTORY}`)).size === hosts.length,
      "must not name a place twice",
    ),
  sshConfig: z.string().min(1).optional(),
  connectTimeoutSeconds: z.number().int().min(1).max(600).optional(),
});
