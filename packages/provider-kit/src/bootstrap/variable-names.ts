// Variables that a shell keeps for itself: it refuses to have them set, sets them anew, or gives them another meaning, so
// that the script would not see what was asked for.
const OF_THE_SHELL: ReadonlySet<string> = new Set([
  ...["_", "IFS", "LINENO", "OPTARG", "OPTIND", "PPID", "PWD", "OLDPWD", "SHLVL"],
  ...["BASH", "BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASH_CMDS"],
  ...["BASH_COMMAND", "BASH_LINENO", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "BASH_VERSION"],
  ...["COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD"],
  ...["RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID"],
]);

const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ["SLIPWAY_REGISTRATION_TOKEN", "registrationToken"],
  ["SLIPWAY_CONTROL_PLANE_URL", "controlPlaneUrl"],
]);

/** Why a variable cannot have this name, or null. */
export function wrongVariable(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return "must be named by letters, digits and _, not beginning with a digit";
  if (OF_THE_SHELL.has(name)) return "is a variable that the shell keeps for itself";
  const field = OWN_FIELDS.get(name);
  return field === undefined ? null : `is given by the field ${field}`;
}
