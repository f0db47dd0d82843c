/**
 * What a command gets of this process's own environment, unless the runner is told otherwise: where programs and the
 * user's files are, the language, the time zone, and what Windows needs to start a program at all. Nothing else passes:
 * a cloud credential in the parent's environment is not the business of every tool it runs.
 */
export const BASE_ENVIRONMENT: readonly string[] = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "SystemRoot",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "TEMP",
  "PATHEXT",
];

/** The base, then each layer over it. */
export function environmentOf(
  inherited: readonly string[],
  ...layers: readonly (Readonly<Record<string, string>> | undefined)[]
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  for (const layer of layers) Object.assign(environment, layer);
  return environment;
}
