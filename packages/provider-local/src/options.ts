import { isAbsolute } from "node:path";
import { isOwner, type Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** What \`local()\` takes. */
export interface LocalOptions {
  /** Whose instances these are: `[a-z0-9-]{1,63}`, one per control plane. */
  readonly owner: string;
  /**
   * Where instances, snapshots and volumes are kept; absolute. `$XDG_STATE_HOME/slipway/local` if absent, or the same
   * below `~/.local/state`. Processes with the same directory see the same instances.
   */
  readonly stateDirectory?: string | undefined;
  /** How long a call waits for another process that works on the same key before it is BUSY, milliseconds. One minute if absent. */
  readonly patienceMs?: number | undefined;
  /** Read for `SLIPWAY_SANDBOX`, `XDG_STATE_HOME`, `HOME` and `PATH`; the process's own if absent. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** As `LocalOptions`, and asks for instances on networks of their own. */
export interface LocalNetworkOptions extends LocalOptions {
  readonly isolatedNetworks: true;
}

/** What `register` takes as config. */
export interface LocalConfig {
  readonly stateDirectory?: string | undefined;
  readonly patienceMs?: number | undefined;
  readonly isolatedNetworks?: boolean | undefined;
}

export const configSchema: z.ZodMiniType<LocalConfig> = z.strictObject({
  stateDirectory: z.optional(z.string().check(z.refine(isAbsolute, "must be an absolute path"))),
  patienceMs: z.optional(z.number().check(z.positive())),
  isolatedNetworks: z.optional(z.boolean()),
});

/** Throws a TypeError for what no instance could be made with. */
export function checkOptions(options: LocalOptions): void {
  if (!isOwner(options.owner)) throw new TypeError("local: owner must match [a-z0-9-]{1,63}");
  const parsed = configSchema.safeParse({ stateDirectory: options.stateDirectory, patienceMs: options.patienceMs });
  if (!parsed.success) throw new TypeError(`local: ${describeIssue(parsed.error)}`);
}

export function describeIssue(error: z.core.$ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "the config is wrong";
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")} ${issue.message}`;
}
