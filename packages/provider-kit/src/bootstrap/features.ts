import type { BootstrapFeature } from "@slipway/core";

interface FeatureRow {
  readonly name: BootstrapFeature;
  /** The program that shows that it is there. */
  readonly program: string;
  /** Package names to try, one after the other, by the tool that installs them. */
  readonly packages: Readonly<Record<"apt-get" | "dnf" | "yum" | "apk" | "zypper" | "pacman", string>>;
  /** The vendor's own installer, for distributions that have no package. */
  readonly installer: string;
  readonly service: string;
}

/** In the order in which they are installed, whatever the config's order. */
const FEATURES: readonly FeatureRow[] = [
  {
    name: "docker",
    program: "docker",
    packages: {
      "apt-get": "docker.io",
      dnf: "docker moby-engine",
      yum: "docker",
      apk: "docker",
      zypper: "docker",
      pacman: "docker",
    },
    installer: "https://get.docker.com",
    service: "docker",
  },
  {
    name: "tailscale",
    program: "tailscale",
    packages: {
      "apt-get": "tailscale",
      dnf: "tailscale",
      yum: "tailscale",
      apk: "tailscale",
      zypper: "tailscale",
      pacman: "tailscale",
    },
    installer: "https://tailscale.com/install.sh",
    service: "tailscaled",
  },
];

export function wrongFeatures(features: unknown): string | null {
  if (!Array.isArray(features)) return "must be a list";
  const unknown: unknown = features.find((feature) => !FEATURES.some((row) => row.name === feature));
  const known = FEATURES.map((row) => row.name).join(" and ");
  return unknown === undefined ? null : `has ${JSON.stringify(unknown)}; known are ${known}`;
}

/** Shell functions and calls that install what is missing; empty where nothing was asked for. */
export function featureLines(features: readonly BootstrapFeature[]): { functions: string; calls: string } {
  const asked = FEATURES.filter((row) => features.includes(row.name));
  if (asked.length === 0) return { functions: "", calls: "" };
  const cases = asked.flatMap((row) =>
    Object.entries(row.packages).map(([tool, names]) => `    ${row.name}:${tool}) echo "${names}" ;;`),
  );
  const calls = asked.map((row) => `  slipway_feature ${row.name} ${row.program} ${row.service} ${row.installer}`);
  return {
    functions: `${INSTALL.replace("@CASES@", cases.join("\n"))}\n`,
    calls: `${calls.join("\n")}\n`,
  };
}

const INSTALL = `slipway_packages() { # feature, tool
  case "$1:$2" in
@CASES@
  esac
}
slipway_install() { # tool, package
  case "$1" in
    apt-get) slipway_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$2" ;;
    dnf|yum) slipway_root "$1" -y install "$2" ;;
    apk) slipway_root apk add "$2" ;;
    zypper) slipway_root zypper --non-interactive install "$2" ;;
    pacman) slipway_root pacman -S --noconfirm --needed "$2" ;;
  esac
}
slipway_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
slipway_fetch() { # URL, file
  if command -v curl >/dev/null 2>&1; then curl -fsSL --retry 3 -o "$2" "$1"; else wget -q -O "$2" "$1"; fi
}
slipway_feature() { # feature, program, service, installer
  command -v "$2" >/dev/null 2>&1 && return 0
  for slipway_tool in apt-get dnf yum apk zypper pacman; do
    command -v "$slipway_tool" >/dev/null 2>&1 || continue
    case "$slipway_tool" in
      apt-get) slipway_root apt-get -q -o DPkg::Lock::Timeout=300 update ;;
      pacman) slipway_root pacman -Sy --noconfirm ;;
    esac
    for slipway_package in $(slipway_packages "$1" "$slipway_tool"); do
      slipway_install "$slipway_tool" "$slipway_package" && break 2
    done
  done
  if ! command -v "$2" >/dev/null 2>&1; then
    echo "slipway-bootstrap: no package of this system has $1: its vendor's installer is used"
    slipway_fetch "$4" "$slipway_dir/install-$1.sh" && slipway_root sh "$slipway_dir/install-$1.sh"
  fi
  if ! command -v "$2" >/dev/null 2>&1; then
    echo "slipway-bootstrap: $1 could not be installed" >&2
    exit 69
  fi
  if [ -d /run/systemd/system ]; then
    slipway_root systemctl enable --now "$3"
  elif command -v rc-service >/dev/null 2>&1; then
    slipway_root rc-update add "$3" default
    slipway_root rc-service "$3" start
  elif command -v service >/dev/null 2>&1; then
    slipway_root service "$3" start
  fi
  return 0
}`;
