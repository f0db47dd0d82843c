/** How one public program calls `orbctl`, or what it reads: written anew from what is known of it. */
export interface SourceForm {
  /** Its key in the facts. */
  readonly key: string;
  /** Calls in this order; `web` is a machine that runs, `ID` stands for its id, `DIR` for a folder of this host. */
  readonly calls?: readonly (readonly string[])[];
  /** Calls that are refused, with a part of what is said. */
  readonly refused?: readonly (readonly [argv: readonly string[], said: string])[];
  /** Where it deletes without --force, which the strict stand-in would refuse. */
  readonly lenient?: boolean;
  /** What it has seen of `list --format json`. */
  readonly list?: string;
  /** What it has seen of `info NAME --format json`. */
  readonly info?: string;
}

const record = (more: object = {}, config: object = {}): object => ({
  id: "01K2G8TY5GM9C3CN95KCB4ZG8B",
  name: "web-server",
  image: { distro: "ubuntu", version: "jammy", arch: "arm64", variant: "default" },
  config: {
    isolated: false,
    forward_ssh_agent: true,
    isolate_network: false,
    default_username: "ubuntu",
    http_port: 0,
    https_port: 0,
    ...config,
  },
  builtin: false,
  state: "running",
  ...more,
});

const ADDRESSES = {
  disk_size: 1_155_293_184,
  ip4: "192.168.139.198",
  ip6: "fd07:b51a:cc66:0:18cb:1bff:fe4a:2ea0",
};

export const sourceForms: readonly SourceForm[] = [
  {
    key: "GARM",
    calls: [
      ["version"],
      ["info", "ID", "--format", "json"],
      ["run", "-m", "web", "-u", "root", "sh", "-c", "true"],
      ["stop", "ID"],
      ["clone", "web", "copy"],
      ["config", "set", "machine.copy.cpu", "2"],
      ["config", "get", "machine.copy.memory_mib"],
      ["start", "copy"],
      ["rename", "ID", "retired"],
      ["delete", "--force", "retired"],
    ],
    refused: [[["delete", "--force", "ID"], "nil pointer dereference"]],
    list: JSON.stringify([record(), record({ state: "stopped" })]),
  },
  {
    key: "PYI",
    calls: [
      ["create", "ubuntu:22.04", "vm", "--arch", "arm64"],
      ["info", "vm", "--format", "json"],
      ["restart", "vm"],
      ["start", "vm"],
      ["stop", "vm"],
      ["stop", "-f", "vm"],
      ["export", "vm", "DIR/vm.tar.zst"],
      ["import", "-n", "again", "DIR/vm.tar.zst"],
      ["config", "show"],
      ["ssh"],
      ["delete", "-f", "vm"],
    ],
    refused: [
      [["create", "--arch", "invalid-arch", "ubuntu", "x"], "invalid architecture"],
      [["create", "ubuntu", ""], "name is empty"],
    ],
    list: JSON.stringify(
      [record({ image: { distro: "voidlinux", version: "current", arch: "arm64", variant: "default" } })],
      null,
      2,
    ),
  },
  {
    key: "MACHU",
    calls: [
      ["list", "--quiet"],
      ["default", "web"],
      ["default"],
      ["default", "none"],
      ["config", "get", "machine.web.disk_bytes"],
      ["delete", "web"],
    ],
    lenient: true,
    info: JSON.stringify({ record: record({ state: "stopped" }), disk_size: 5, ip4: "", ip6: "" }),
  },
  {
    key: "DEBOCK",
    calls: [
      ["start", "k8s"],
      ["config", "set", "k8s.enable", "true"],
      ["config", "set", "power.pause_in_sleep", "false"],
      ["default", "web"],
      ["delete", "web"],
    ],
    lenient: true,
  },
  { key: "DEVSY", calls: [["list", "--format", "json"]], list: JSON.stringify([record()]) },
  {
    key: "VAG",
    calls: [
      ["create", "ubuntu:noble", "box"],
      ["stop", "box"],
      ["stop", "box"],
      ["start", "box"],
      ["delete", "box"],
    ],
    lenient: true,
  },
  {
    key: "E2B",
    calls: [["info", "docker", "--format", "json"]],
    info: JSON.stringify({
      record: record(
        { image: { distro: "ubuntu", version: "jammy", arch: "arm64", variant: "cloud" } },
        { mounts: [{ source: "/Users/me/a" }, { source: "/Users/me/b", destination: "/work" }] },
      ),
      ...ADDRESSES,
    }),
  },
  {
    key: "SKY",
    calls: [
      ["run", "-m", "web", "-u", "root", "sh", "-c", "cat > /tmp/script"],
      ["run", "-m", "web", "-u", "root", "sh", "-c", "setsid sh -c true </dev/null >/dev/null 2>&1 & sleep 0"],
      ["clone", "web", "web-snapshot"],
      ["stop", "web-snapshot"],
      ["stop", "web"],
      ["delete", "--force", "web"],
    ],
    refused: [[["create", "ubuntu:focal", "x"], "image not found: {ubuntu focal arm64 default}"]],
  },
  {
    key: "ORBX",
    calls: [
      ["list", "-f", "json"],
      ["run", "-m", "web", "-u", "root", "sh", "-c", "command -v systemd-run >/dev/null || true"],
    ],
  },
  {
    key: "BIGD",
    calls: [
      ["create", "--isolated", "--mount", "DIR:/work", "--forward-ssh-agent", "debian", "box"],
      ["config", "add", "machine.box.mounts", "/a:/b"],
      ["config", "get", "machine.box.mounts"],
      ["run", "-m", "box", "-w", "/tmp", "sh", "-lc", "true"],
    ],
    refused: [[["create", "--mount", "DIR", "debian", "x"], "needs --isolated"]],
  },
  {
    key: "CCVM",
    calls: [
      ["status"],
      ["run", "-m", "web", "sh", "-c", "mkdir -p /var/lib/slipway; echo x >/var/lib/slipway/f"],
      ["stop", "web"],
      ["pull", "-m", "web", "/var/lib/slipway/f", "DIR/f"],
    ],
    refused: [[["run", "-m", "web", "--", "true"], "unknown flag"]],
    list: JSON.stringify([record({ state: "starting" }), record({ state: "stopping" })]),
  },
  {
    key: "SHADOW",
    refused: [[["info", "nosuch", "--format", "json"], "[-32098] machine not found: 'nosuch'"]],
    info: JSON.stringify({ record: record(), ...ADDRESSES }),
  },
  {
    key: "KAI",
    calls: [
      [
        "create",
        "--isolated",
        "--isolate-network",
        "--cpus",
        "2",
        "--memory",
        "2048M",
        "--disk",
        "64G",
        "ubuntu",
        "ci",
      ],
      ["list", "--format", "json", "--running"],
      ["config", "get", "machine.ci.cpu"],
    ],
    refused: [[["info", "x"], "machine not found"]],
    info: JSON.stringify({ record: record({}, { memory_limit_mib: 2048 }), disk_size: 1 }),
  },
  {
    key: "LCI",
    list: JSON.stringify([record({}, { cpu_limit: 2, memory_limit_mib: 4096, disk_limit_bytes: 68_719_476_736 })]),
  },
  {
    key: "SKILL",
    calls: [
      ["add", "ubuntu", "one"],
      ["new", "alpine", "two"],
      ["logs", "one", "-a"],
      ["exec", "-m", "one", "true"],
      ["shell", "-m", "one", "-u", "root", "true"],
      ["push", "-m", "two", "DIR", "/srv/files"],
      ["stop", "-a"],
      ["start", "-a"],
      ["delete", "-f", "two"],
    ],
  },
  {
    key: "HELP",
    calls: [
      ["create", "--help"],
      ["create", "-a", "amd64", "-u", "dev", "-p", "fedora", "fed"],
      ["create", "arch"],
      ["create", "void"],
    ],
    list: JSON.stringify([
      record({ image: { distro: "archlinux", version: "current", arch: "amd64", variant: "default" } }),
    ]),
  },
  {
    key: "B1LAB",
    calls: [["list"]],
    list: `╭──────────────────────────╮\n│ OrbStack update available! │\n│ Run "orb update" to update. │\n╰──────────────────────────╯\n${JSON.stringify([record()])}\n\n╭──╮\n╰──╯\n`,
  },
  {
    key: "SBX",
    calls: [
      ["create", "--isolated", "--isolate-network", "ubuntu", "box"],
      ["run", "-m", "box", "-u", "root", "true"],
    ],
    info: JSON.stringify({ record: record({}, { isolated: true, isolate_network: true, forward_ssh_agent: false }) }),
  },
  {
    key: "BUN",
    calls: [
      ["create", "-c", "DIR/user-data", "centos", "ci"],
      ["push", "-m", "ci", "DIR/user-data", "/etc/seed"],
      ["delete", "ci"],
    ],
    refused: [[["create", "-c", "/nowhere/user-data", "debian", "x"], "no such file"]],
    lenient: true,
  },
  {
    key: "RAY",
    calls: [
      ["list", "-f", "json"],
      ["restart", "web"],
    ],
    list: JSON.stringify([record({ state: "error" }), record({ state: "paused" })]),
  },
  {
    key: "SAFE",
    calls: [
      ["list", "-q"],
      ["--version"],
      ["-V"],
      ["doctor", "--quiet"],
      ["doctor", "-f"],
      ["update", "--check"],
      ["logs", "web"],
    ],
  },
];
