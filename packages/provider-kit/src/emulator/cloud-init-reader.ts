import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EmulatedMachine } from "./machines.ts";
import { KEYS_READY, type UserDataReader } from "./user-data-reader.ts";

const PROGRAM = "/usr/bin/cloud-init";
const SEED = "var/lib/cloud/seed/nocloud";
const USER = "ubuntu";

/** Why cloud-init cannot run in machines, or null. */
export function cloudInitMissing(): string | null {
  return existsSync(PROGRAM) ? null : "cloud-init is not installed";
}

/** The real one, as the host has it: four stages, as at a machine's boot. It takes seconds. */
export const cloudInitReader: UserDataReader = {
  name: "cloud-init",
  keyFiles: ["root/root/.ssh/authorized_keys", `root/home/${USER}/.ssh/authorized_keys`],
  makesKeys: true,
  // /run lasts no longer than a boot. The keys are there after the second stage, as on a machine, whose sshd waits for it.
  start: [
    "cd /",
    "umask 022",
    "unset HOME",
    "export PYTHONDONTWRITEBYTECODE=1",
    "rm -rf /run/cloud-init",
    `${PROGRAM} init --local </dev/null`,
    `${PROGRAM} init </dev/null`,
    `touch "$SLIPWAY_RUN_DIR/${KEYS_READY}"`,
    `${PROGRAM} modules --mode=config </dev/null`,
    `${PROGRAM} modules --mode=final </dev/null`,
  ].join("\n"),
  prepare,
};

async function prepare(directory: string, machine: EmulatedMachine): Promise<void> {
  const root = join(directory, "root");
  for (const name of [SEED, "etc/cloud", `home/${USER}`, "var/log"]) await mkdir(join(root, name), { recursive: true });
  const meta = { "instance-id": machine.id, "local-hostname": machine.id, "public-keys": machine.sshKeys };
  await writeFile(join(root, SEED, "meta-data"), JSON.stringify(meta));
  await writeFile(join(root, SEED, "user-data"), machine.userData, { mode: 0o600 });
  await writeFile(join(root, "etc/cloud/cloud.cfg"), JSON.stringify(CONFIG));
  // One user is mapped: the default user is root by another name, and nothing needs to be given to it.
  const users = [`root:x:0:0:root:/root:/bin/bash`, `${USER}:x:0:0:Ubuntu:/home/${USER}:/bin/bash`, NOBODY];
  await writeFile(join(root, "etc/passwd"), lines(users));
  await writeFile(join(root, "etc/group"), lines(["root:x:0:", `${USER}:x:0:`, "nogroup:x:65534:"]));
  await writeFile(join(root, "etc/shadow"), lines(["root:*:1::::::", `${USER}:*:1::::::`]), { mode: 0o600 });
  for (const name of ["etc/passwd", "etc/group"]) await chmod(join(root, name), 0o644);
}

const NOBODY = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin";

// A seed in its own root alone: no metadata service of the host is asked, and no disk is looked at. The host's name and
// network stay as they are.
const CONFIG = {
  datasource_list: ["NoCloud", "None"],
  datasource: { NoCloud: { fs_label: null } },
  network: { config: "disabled" },
  preserve_hostname: true,
  disable_root: false,
  ssh_deletekeys: false,
  ssh_genkeytypes: [],
  system_info: { distro: "debian", default_user: { name: USER, lock_passwd: false, shell: "/bin/bash" } },
  users: ["default"],
  cloud_init_modules: ["bootcmd", "write-files", "set_hostname", "users-groups", "ssh"],
  cloud_config_modules: ["runcmd"],
  cloud_final_modules: [
    ...["write-files-deferred", "scripts-per-once", "scripts-per-boot", "scripts-per-instance", "scripts-user"],
    ...["phone-home", "final-message"],
  ],
  log_cfgs: [
    [
      ...["[loggers]", "keys=root", "[handlers]", "keys=file,console", "[formatters]", "keys=plain"],
      ...["[logger_root]", "level=DEBUG", "handlers=file,console"],
      ...["[handler_file]", "class=FileHandler", "level=DEBUG", "formatter=plain", "args=('/var/log/cloud-init.log',)"],
      ...["[handler_console]", "class=StreamHandler", "level=WARNING", "formatter=plain", "args=(sys.stderr,)"],
      ...["[formatter_plain]", "format=%(asctime)s - %(filename)s[%(levelname)s]: %(message)s"],
    ].join("\n"),
  ],
  output: { all: "| tee -a /var/log/cloud-init-output.log" },
};

function lines(rows: readonly string[]): string {
  return rows.map((row) => `${row}\n`).join("");
}
