import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SshEndpoint } from "@slipway/core";
import { freePort } from "@slipway/provider-kit/emulator";

const SSHD = "/usr/sbin/sshd";

/** Why there can be no sshd here, or null. */
export const missing: string | null =
  existsSync(SSHD) && spawnSync("ssh", ["-V"]).status === 0 ? null : "ssh or sshd is not installed";

if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

export interface Sshd {
  readonly endpoint: SshEndpoint;
  readonly identityFile: string;
  readonly close: () => Promise<void>;
}

/** The system's own sshd on a free port of the loopback, for this user and a key of its own. */
export async function startSshd(): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-sshd-"));
  const [hostKey, identityFile] = [join(directory, "host"), join(directory, "user")];
  for (const file of [hostKey, identityFile]) {
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    if (made.status !== 0) throw new Error(made.stderr.toString());
  }
  await chmod(directory, 0o755);
  const port = await freePort();
  const config = join(directory, "config");
  const lines = [
    ...["ListenAddress 127.0.0.1", `Port ${port}`, `HostKey ${hostKey}`, "PidFile none", "UsePAM no"],
    ...["PasswordAuthentication no", "KbdInteractiveAuthentication no", "StrictModes no", "UseDNS no"],
    ...["PermitRootLogin prohibit-password", `AuthorizedKeysFile ${identityFile}.pub`, "MaxStartups 200"],
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  // As root it wants a directory for its children, which a machine without a running sshd may lack.
  if (process.getuid?.() === 0) spawnSync("mkdir", ["-p", "-m", "0755", "/run/sshd"]);
  const child = spawn(SSHD, ["-D", "-e", "-f", config], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on("line", (line) => {
      said.push(line);
      if (line.includes("Server listening")) resolve();
    });
    child.once("exit", () => reject(new Error(said.join("\n"))));
  });
  return {
    endpoint: { host: "127.0.0.1", port, user: userInfo().username },
    identityFile,
    close: async () => {
      child.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
