import type { BootstrapConfig, BootstrapReport } from "@slipway/core";

/** Where a config wants its reports sent; undefined where it wants none, or does not say where. */
export function reportOf(config: BootstrapConfig): BootstrapReport | undefined {
  const { report, controlPlaneUrl, registrationToken } = config;
  if (report !== true) return report;
  if (controlPlaneUrl === undefined || registrationToken === undefined) return undefined;
  return { url: controlPlaneUrl, token: registrationToken };
}

/** What is wrong with a config's `report`, as the field and the end of a sentence; null if nothing is. */
export function wrongReport(config: BootstrapConfig): readonly [field: string, wrong: string] | null {
  const { report }: { readonly report?: unknown } = config;
  if (report === undefined) return null;
  if (report !== true && (typeof report !== "object" || report === null)) {
    return ["report", "must be true, or { url, token }"];
  }
  const to = reportOf(config);
  if (to === undefined) {
    return [
      "report",
      "is true, and so needs controlPlaneUrl, and either the `reports` of a launch or a registrationToken",
    ];
  }
  const [urlField, tokenField] =
    report === true ? ["controlPlaneUrl", "registrationToken"] : ["report.url", "report.token"];
  // Both stand in lines of a tool's own configuration file.
  if (typeof to.url !== "string" || !URL_FORM.test(to.url)) {
    return [urlField, "must be an http or https URL without blanks, quotes and backslashes, since reports go there"];
  }
  return typeof to.token === "string" && TOKEN_FORM.test(to.token)
    ? null
    : [tokenField, "must be letters, digits and . _ ~ + / = -, since it is sent with each report"];
}

const URL_FORM = /^https?:\/\/[\w.-]+(:\d+)?(\/[^\s"'\\`$]*)?$|^https?:\/\/\[[0-9a-f:]+\](:\d+)?(\/[^\s"'\\`$]*)?$/i;
const TOKEN_FORM = /^[\w.~+/=-]+$/;

/** What a shell script of a config that wants reports has more; empty texts where it wants none. */
export interface ReportLines {
  readonly functions: string;
  /** Before the script runs, and after its exit code is written. */
  readonly before: string;
  readonly after: string;
}

/** `here` writes a value as a here-document in base64, so that no character of it is read by a shell. */
export function reportLines(to: BootstrapReport | undefined, here: (value: string) => string): ReportLines {
  if (to === undefined) return { functions: "", before: "", after: "" };
  const values = `  slipway_take${here(to.url)}  slipway_url=$slipway_value\n  slipway_take${here(to.token)}  slipway_token=$slipway_value\n`;
  return {
    functions: REPORT,
    before: `${values}  slipway_report started 5\n  (\n    exec </dev/null >/dev/null 2>&1 9>&-\n    slipway_beats\n  ) &\n  slipway_beat=$!\n`,
    after: `  kill "$slipway_beat" 2>/dev/null\n  wait "$slipway_beat" 2>/dev/null\n  slipway_report exited 19 "exitCode=$slipway_code"\n`,
  };
}

/**
 * Every report is sent in the background, with limited tries: one that cannot be sent changes nothing of the bootstrap. The
 * token is in no argument list: curl reads it from stdin, wget from a file of mode 0600, the others from here-documents.
 * The number of a report is the time, and at least one more than the last, so that a disk that was lost begins no lower.
 */
const REPORT = `slipway_take() {
  slipway_value=$(slipway_decode 2>/dev/null) || slipway_value=
}
slipway_report() { # event, tries, further line
  slipway_seq=$(cat "$slipway_dir/report-seq" 2>/dev/null)
  case $slipway_seq in '' | *[!0-9]* | ???????????*) slipway_seq=0 ;; esac
  slipway_time=$(date +%s)
  if [ "$slipway_time" -gt "$slipway_seq" ]; then slipway_seq=$slipway_time; else slipway_seq=$((slipway_seq + 1)); fi
  echo "$slipway_seq" >"$slipway_dir/report-seq"
  {
    printf 'event=%s\\nseq=%s\\n' "$1" "$slipway_seq"
    [ -z "$3" ] || echo "$3"
    echo
    # Where the log is a link, it is the machine's own output, which only the provider reads.
    [ -h "$slipway_dir/output.log" ] || tail -c 4096 "$slipway_dir/output.log"
  } >"$slipway_dir/.report-$slipway_seq" 2>/dev/null
  # By exec: redirections of a function would keep the old ones open, and with them the lock and whoever reads the output.
  (
    exec </dev/null >/dev/null 2>&1 9>&-
    slipway_deliver "$slipway_dir/.report-$slipway_seq" "$2"
  ) &
}
slipway_deliver() { # file, tries
  slipway_left=$2
  slipway_pause=1
  while :; do
    case $(slipway_post "$1") in 2?? | 400 | 401 | 403 | 404 | 409 | 410 | 413) break ;; esac
    slipway_left=$((slipway_left - 1))
    [ "$slipway_left" -gt 0 ] || break
    sleep "$slipway_pause"
    slipway_pause=$((slipway_pause * 2))
    [ "$slipway_pause" -lt 60 ] || slipway_pause=60
  done
  rm -f "$1" "$1.rc"
}
slipway_post() { # file; prints the status
  if command -v curl >/dev/null 2>&1; then
    curl -q -s -K - -o /dev/null -w '%{http_code}' --connect-timeout 5 -m 10 --data-binary "@$1" <<SLIPWAY
url = "$slipway_url"
header = "Authorization: Bearer $slipway_token"
header = "Content-Type: text/plain"
SLIPWAY
  elif wget --version 2>/dev/null | grep -q '^GNU Wget'; then
    echo "header = Authorization: Bearer $slipway_token" >"$1.rc"
    wget --config="$1.rc" -q -S -t 1 -T 10 --max-redirect=0 -O /dev/null --post-file="$1" "$slipway_url" 2>&1 |
      sed -n 's/^ *HTTP\\/[0-9.]* \\([0-9]*\\).*/\\1/p' | tail -n 1
  elif command -v python3 >/dev/null 2>&1; then
    python3 - "$1" "$slipway_url" <<SLIPWAY
import sys, urllib.error, urllib.request as u
q = u.Request(sys.argv[2], open(sys.argv[1], "rb").read(), {"Authorization": "Bearer $slipway_token", "Content-Type": "text/plain"})
try: print(u.urlopen(q, timeout=10).status)
except urllib.error.HTTPError as e: print(e.code)
SLIPWAY
  elif command -v bash >/dev/null 2>&1; then
    bash -s "$1" "$slipway_url" <<'SLIPWAY' 5<<TOKEN
url=\${2#http://}; [ "$url" != "$2" ] || exit 1
read -r token <&5
at=\${url%%/*}; host=\${at%:*}; port=\${at##*:}; [ "$port" != "$at" ] || port=80
path=/; [ "$url" = "$at" ] || path=/\${url#*/}
exec 3<>"/dev/tcp/$host/$port" || exit 1
printf 'POST %s HTTP/1.1\\r\\nHost: %s\\r\\nAuthorization: Bearer %s\\r\\nContent-Type: text/plain\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n' "$path" "$at" "$token" "$(wc -c <"$1" | tr -d ' ')" >&3
cat "$1" >&3
read -r -t 10 _ status _ <&3 && echo "$status"
SLIPWAY
$slipway_token
TOKEN
  fi
}
slipway_beats() {
  while :; do
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5; done
    slipway_report alive 1
  done
}
`;
