import { homedir } from "node:os";
import { join } from "node:path";
import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { parseImage } from "./images.ts";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** The settings that a config file may hold. */
export interface OrbstackConfig {
  /** The `orbctl` program; absent: the variable SLIPWAY_ORBCTL, `orbctl` on the PATH, or one of the places where OrbStack puts it. */
  readonly executable?: string | undefined;
  /** For a spawn that names none: `distro[:version][:arch]`. */
  readonly image?: string | undefined;
  /**
   * True (the default): instances do not see this Mac's files, commands and ssh agent. False: the whole home directory of
   * the user is in them, to read and to write.
   */
  readonly isolated?: boolean | undefined;
}

export interface OrbstackOptions extends OrbstackConfig {
  /** Whose instances these are: `[a-z0-9-]{1,63}`, one per control plane. */
  readonly owner: string;
  /** Read for SLIPWAY_ORBCTL and HOME; the process's own if absent. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

export const DEFAULT_IMAGE = "ubuntu:24.04";

export const configSchema: z.ZodMiniType<OrbstackConfig> = z.strictObject({
  executable: z.optional(z.string().check(z.regex(/^[^\0]+$/, "must be a program's name or path"))),
  image: z.optional(z.string().check(z.refine((text) => parseImage(text) !== null, "must be distro[:version][:arch]"))),
  isolated: z.optional(z.boolean()),
});

/** How `orbctl` is called. */
export interface Program {
  /** Tried in this order, until one is there. Never `orb`: that would take an unknown word for a command inside a machine. */
  readonly candidates: readonly string[];
  /** What it gets beside the runner's own few variables. */
  readonly environment: Readonly<Record<string, string>>;
}

// A stand-in that SLIPWAY_ORBCTL names finds its world and its speed by these.
const PASSED_ON = ["SLIPWAY_ORBCTL_EMULATOR", "SPEED"] as const;

export function programOf({ executable, variables = process.env }: OrbstackOptions): Program {
  const home = variables["HOME"] ?? "";
  // Without HOME it panics, and a service of macOS may have none.
  const HOME = home === "" ? homedir() : home;
  const named = executable ?? variables["SLIPWAY_ORBCTL"] ?? "";
  if (named === "") {
    return {
      candidates: [
        "orbctl",
        join(HOME, ".orbstack/bin/orbctl"),
        "/Applications/OrbStack.app/Contents/MacOS/bin/orbctl",
      ],
      environment: { HOME },
    };
  }
  const passed = PASSED_ON.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { candidates: [named], environment: { ...Object.fromEntries(passed), HOME } };
}
