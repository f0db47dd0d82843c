import { type Version, versionIn } from "@slipway/provider-kit/command";

/** The first version whose JSON is understood. */
export const OLDEST: Version = { major: 1, minor: 0, patch: 0 };
/** The first of the versions that were never tried. */
export const UNTRIED: Version = { major: 1, minor: 5, patch: 0 };
/** From here on the answers have another shape for certain: a major release may change anything. */
export const NEXT_MAJOR: Version = { major: 2, minor: 0, patch: 0 };

/** From what `container --version` prints; null if it is something else. */
export function parseVersion(printed: string): Version | null {
  return versionIn(printed, /version (\d+)\.(\d+)\.(\d+)/);
}
