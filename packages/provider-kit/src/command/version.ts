/** A version of a program. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The version in what a program prints, by a pattern with three groups; null where it does not match. */
export function versionIn(printed: string, pattern: RegExp): Version | null {
  const [, major, minor, patch] = pattern.exec(printed) ?? [];
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
