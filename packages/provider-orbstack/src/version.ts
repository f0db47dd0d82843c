import type { Call } from "./call.ts";
import { refusal } from "./errors.ts";

/** A version of OrbStack. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Before it: no limits per machine, copies that got lost, and images that did not boot. */
const OLDEST: Version = { major: 2, minor: 2, patch: 2 };
/** The first of the versions that nobody has described. */
export const UNTRIED: Version = { major: 2, minor: 3, patch: 0 };

/** From what `orbctl version` prints, an update notice around it or not; null if it is something else. */
function parseVersion(printed: string): Version | null {
  const [, major, minor, patch] = /Version:\s*(\d+)\.(\d+)\.(\d+)/.exec(printed) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return null;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Is `version` the given one or a later one? */
export function isAtLeast(version: Version, { major, minor, patch }: Version): boolean {
  if (version.major !== major) return version.major > major;
  if (version.minor !== minor) return version.minor > minor;
  return version.patch >= patch;
}

export function versionText({ major, minor, patch }: Version): string {
  return `${major}.${minor}.${patch}`;
}

/** Throws UNSUPPORTED for a version that is too old, and for what is no version of OrbStack. */
export function supportedVersion(printed: string, { operation }: Call): Version {
  const version = parseVersion(printed);
  if (version === null) {
    throw refusal("UNSUPPORTED", operation, "this orbctl does not tell a version of OrbStack", {
      hint: "Point the option executable, or SLIPWAY_ORBCTL, at OrbStack's own orbctl.",
    });
  }
  if (isAtLeast(version, OLDEST)) return version;
  throw refusal("UNSUPPORTED", operation, `OrbStack is ${versionText(version)}, and ${versionText(OLDEST)} is needed`, {
    hint: "Update OrbStack: `orbctl update`.",
  });
}
