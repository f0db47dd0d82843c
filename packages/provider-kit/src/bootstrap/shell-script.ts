import { type BootstrapConfig, type BootstrapFile, checksumOf } from "@slipway/core";
import { featureLines } from "./features.ts";
import { type ReportLines, reportLines, reportOf } from "./report.ts";

/**
 * The bootstrap as one POSIX shell script.
 *
 * Every value of the config crosses as base64 in a here-document, so that no character of it is ever read by a shell, and
 * none stands in an argument list: a here-document is a pipe or a file of the shell's own. Variables are decoded first
 * and set last, by position, so that no name and no value of theirs changes how the rest is read or found.
 *
 * All of it is one function that the last line calls: a script that arrived in part does nothing.
 */
export function shellScript(config: BootstrapConfig, directory: string): string {
  const { functions, calls } = featureLines(config.features ?? []);
  const variables = variablesOf(config);
  const files = config.files ?? [];
  const report = reportLines(reportOf(config), hereDocument);
  const body = [
    FUNCTIONS,
    files.length + variables.length > 0 ? READ : "",
    functions,
    report.functions,
    mainPart(report),
    `slipway_work() {\n`,
    filesPart(files),
    calls,
    scriptPart(config),
    variablesPart(variables),
    `}\n`,
  ].join("");
  // The guard's own tag: a script that came through stdin cannot compute its checksum.
  const tag = checksumOf(body);
  return `${head(tag, directory)}${body}slipway_main\n`;
}

function head(tag: string, directory: string): string {
  return `#!/bin/sh
# slipway-bootstrap 1
# Values are in base64. State and output: see the file "sentinel" and "output.log" in the directory below.
slipway_tag=${tag}
slipway_dir=\${SLIPWAY_BOOTSTRAP_DIR:-${directory}}
`;
}

const READ = `# Into slipway_value, byte for byte: the final x keeps the newlines that a command substitution would take off.
slipway_read() {
  slipway_value=$(slipway_decode && echo x) || slipway_fail 65 "a value could not be decoded"
  slipway_value=\${slipway_value%x}
}
`;

const FUNCTIONS = `slipway_decode() {
  if command -v base64 >/dev/null 2>&1; then base64 -d; else openssl base64 -d; fi
}
slipway_fail() { # exit code, why
  echo "slipway-bootstrap: $2" >&2
  exit "$1"
}
# The file named by slipway_value, from base64 on stdin. It appears whole and with its mode, or not at all.
slipway_file() { # mode
  slipway_parent=\${slipway_value%/*}
  slipway_new=$slipway_parent/.slipway-$$
  (umask 022 && mkdir -p "\${slipway_parent:-/}") || slipway_fail 73 "no directory for $slipway_value"
  [ ! -d "$slipway_value" ] || slipway_fail 73 "$slipway_value is a directory"
  rm -f "$slipway_new"
  { (set -C && slipway_decode >"$slipway_new") && chmod "$1" "$slipway_new"; } || slipway_fail 73 "cannot write $slipway_value"
  mv -f "$slipway_new" "$slipway_value" 2>/dev/null && return 0
  # A file that is mounted cannot be replaced, only written.
  { cat "$slipway_new" >"$slipway_value" && chmod "$1" "$slipway_value"; } || slipway_fail 73 "cannot write $slipway_value"
  rm -f "$slipway_new"
}
slipway_sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256
  else openssl dgst -sha256 -r
  fi
}
slipway_checksum() {
  { [ -f "$0" ] && grep -q "^slipway_tag=$slipway_tag\\$" <"$0"; } 2>/dev/null || { echo unknown; return; }
  slipway_hash=$(slipway_sha256 2>/dev/null <"$0")
  slipway_hash=\${slipway_hash%% *}
  if [ "\${#slipway_hash}" = 64 ]; then echo "sha256:$slipway_hash"; else echo unknown; fi
}
slipway_boot_id() {
  cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null || echo unknown
}
# Written beside and renamed: a reader sees the old state or the new one, whole.
slipway_sentinel() { # state, further line
  {
    echo "slipway-bootstrap 1"
    echo "state=$1"
    echo "tag=$slipway_tag"
    echo "checksum=$slipway_sum"
    echo "boot=$slipway_boot"
    echo "startedAt=$slipway_started"
    [ -z "$2" ] || echo "$2"
  } >"$slipway_dir/.sentinel-$$" && chmod 0644 "$slipway_dir/.sentinel-$$" && mv -f "$slipway_dir/.sentinel-$$" "$slipway_dir/sentinel"
}
slipway_now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
# Ends with the recorded exit code if this very script has finished in this boot.
slipway_guard() {
  [ -f "$slipway_dir/sentinel" ] || return 0
  slipway_seen=
  slipway_code=
  while read -r slipway_line; do
    case $slipway_line in
      state=exited | "tag=$slipway_tag" | "boot=$slipway_boot") slipway_seen=x$slipway_seen ;;
      exitCode=*) slipway_code=\${slipway_line#exitCode=} ;;
    esac
  done <"$slipway_dir/sentinel"
  if [ "$slipway_seen" = xxx ] && [ -n "$slipway_code" ]; then
    echo "slipway-bootstrap: it has run in this boot already, exit code $slipway_code"
    exit "$slipway_code"
  fi
}
`;

function mainPart({ before, after }: ReportLines): string {
  return `${BEFORE}${before}${MIDDLE}${after}${AFTER}`;
}

const BEFORE = `slipway_main() {
  slipway_umask=$(umask)
  umask 077
  PATH=\${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
  HOME=\${HOME:-/root}
  export PATH HOME
  case $slipway_dir in /*) ;; *) slipway_dir=$(pwd)/$slipway_dir ;; esac
  (umask 022 && mkdir -p "$slipway_dir") || slipway_fail 73 "cannot make $slipway_dir"
  # A second one waits for the first, and then finds it done. The kernel frees the lock of one that was killed.
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$slipway_dir/lock"
    flock 9 || echo "slipway-bootstrap: $slipway_dir cannot be locked" >&2
  fi
  slipway_boot=$(slipway_boot_id)
  slipway_guard
  slipway_sum=$(slipway_checksum)
  slipway_started=$(slipway_now)
  slipway_sentinel running "" || slipway_fail 73 "cannot write in $slipway_dir"
`;

const MIDDLE = `  # Nothing that is started inside may hold the lock.
  (slipway_work) </dev/null >>"$slipway_dir/output.log" 2>&1 9>&-
  slipway_code=$?
  slipway_sentinel exited "exitCode=$slipway_code
finishedAt=$(slipway_now)" || slipway_fail 73 "cannot write in $slipway_dir"
`;

const AFTER = `  echo "slipway-bootstrap: exit code $slipway_code"
  exit "$slipway_code"
}
`;

function filesPart(files: readonly BootstrapFile[]): string {
  const parts = files.map(
    ({ path, content, mode = "0644" }) =>
      `  slipway_read${hereDocument(path)}  slipway_value=$slipway_root$slipway_value\n  slipway_file ${mode.padStart(4, "0")}${hereDocument(content)}`,
  );
  return parts.length === 0 ? "" : `  slipway_root=\${SLIPWAY_BOOTSTRAP_ROOT:-}\n${parts.join("")}`;
}

function scriptPart(config: BootstrapConfig): string {
  return `  slipway_value=$slipway_dir/script\n  slipway_file 0700${hereDocument(config.script)}`;
}

// By position: a variable that is called as one of these functions' own, or PATH, cannot get in the way.
function variablesPart(variables: readonly Variable[]): string {
  const reads = variables.map(([, value]) => `  slipway_read${hereDocument(value)}  set -- "$@" "$slipway_value"\n`);
  const sets = variables.map(([name], at) => `  export ${name}="\${${at + 2}}"\n`);
  return [
    `  set -- "$slipway_dir/script"\n`,
    ...reads,
    `  umask "$slipway_umask"\n`,
    ...sets,
    `  exec /bin/sh "$1"\n`,
  ].join("");
}

type Variable = readonly [name: string, value: string];

/** In the order of their names: the same variables give the same bytes. */
function variablesOf(config: BootstrapConfig): readonly Variable[] {
  const variables = new Map(Object.entries(config.environment ?? {}));
  if (config.controlPlaneUrl !== undefined) variables.set("SLIPWAY_CONTROL_PLANE_URL", config.controlPlaneUrl);
  if (config.registrationToken !== undefined) variables.set("SLIPWAY_REGISTRATION_TOKEN", config.registrationToken);
  return [...variables].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

// The end marker holds characters that base64 has not.
function hereDocument(value: string): string {
  const lines =
    Buffer.from(value, "utf8")
      .toString("base64")
      .match(/.{1,76}/g) ?? [];
  return ` <<'__'\n${lines.map((line) => `${line}\n`).join("")}__\n`;
}
