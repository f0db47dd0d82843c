import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** The settings that a config file may hold. */
export interface AppleContainerConfig {
  /** The `container` program; absent: the variable SLIPWAY_CONTAINER, or `container` on the PATH. */
  readonly executable?: string | undefined;
  /** For a spawn that names none. It needs `/bin/sh`. */
  readonly image?: string | undefined;
  /** True: instances may be put on networks of one's own, which needs macOS 26. */
  readonly networks?: boolean | undefined;
}

export interface AppleContainerOptions extends Omit<AppleContainerConfig, "networks"> {
  /** Whose instances these are: `[a-z0-9-]{1,63}`, one per control plane. */
  readonly owner: string;
  /** Read for SLIPWAY_CONTAINER; the process's own if absent. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** As `AppleContainerOptions`, and asks for the option `network`. */
export interface AppleContainerNetworkOptions extends AppleContainerOptions {
  readonly networks: true;
}

export const DEFAULT_IMAGE = "docker.io/library/debian:stable-slim";
const DEFAULT_EXECUTABLE = "container";

/** An image's reference as it may stand among the arguments: it must not be taken for an option. */
export const IMAGE: RegExp = /^[A-Za-z0-9][\w.:/@+-]{0,511}$/;

export const configSchema: z.ZodMiniType<AppleContainerConfig> = z.strictObject({
  executable: z.optional(z.string().check(z.regex(/^[^\0]+$/, "must be a program's name or path"))),
  image: z.optional(z.string().check(z.regex(IMAGE, "must be an image's reference"))),
  networks: z.optional(z.boolean()),
});

/** Which program to run. */
export function executableOf({ executable, variables = process.env }: AppleContainerOptions): string {
  const named = executable ?? variables["SLIPWAY_CONTAINER"];
  return named === undefined || named === "" ? DEFAULT_EXECUTABLE : named;
}
