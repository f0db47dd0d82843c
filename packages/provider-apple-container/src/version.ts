/** A version of the `container` command. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The first version whose JSON is understood. */
export const OLDEST: Version = { major: 1, minor: 0, patch: 0 };
/** The first of the versions that were never tried. */
export const UNTRIED: Version = { major: 1, minor: 5, patch: 0 };
/** From here on the answers have another shape for certain: a major release may change anything. */
export const NEXT_MAJOR: Version = { major: 2, minor: 0, patch: 0 };

/** From what `container --version` prints; null if it is something else. */
export function parseVersion(printed: string): Version | null {
  const [, major, minor, patch] = /version (\d+)\.(\d+)\.(\d+)/.exec(printed) ?? [];
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
