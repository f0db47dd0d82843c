import { isAtLeast, type Version, versionIn, versionText } from "@slipway/provider-kit/command";
import type { Call } from "./call.ts";
import { refusal } from "./errors.ts";

/** Before it: no limits per machine, copies that got lost, and images that did not boot. */
const OLDEST: Version = { major: 2, minor: 2, patch: 2 };
/** The first of the versions that nobody has described. */
export const UNTRIED: Version = { major: 2, minor: 3, patch: 0 };

/** From what `orbctl version` prints, an update notice around it or not; null if it is something else. */
function parseVersion(printed: string): Version | null {
  return versionIn(printed, /Version:\s*(\d+)\.(\d+)\.(\d+)/);
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
