import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@slipway/provider-kit/emulator";

/** A real sshd on the loopback, with keys and settings of its own. Nothing of the user's is read or written. */
export interface Sshd {
  /** For `ssh -F`: the host `machine` is this one. */
  readonly config: string;
  readonly directory: string;
  readonly close: () => void;
}

const SSHD = process.env["SSHD"] ?? "/usr/sbin/sshd";
const STARTS_WITHIN_MS = 10_000;

export async function startSshd(): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sshd-"));
  const key = (name: string): string => {
    const file = join(directory, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    return file;
  };
  const [hostKey, userKey] = [key("host"), key("user")];
  const port = await freePort();
  const settings = join(directory, "sshd_config");
  // Where it runs as root it wants this one; elsewhere it does not ask.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  writeFileSync(
    settings,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
SetEnv HOME=${directory}
MaxSessions 100
MaxStartups 100:30:200
`,
  );
  const config = join(directory, "ssh_config");
  writeFileSync(
    config,
    `Host machine
  HostName 127.0.0.1
  Port ${port}
  User ${userInfo().username}
  IdentityFile ${userKey}
  IdentitiesOnly yes
  UserKnownHostsFile ${join(directory, "known_hosts")}
  StrictHostKeyChecking accept-new
  LogLevel ERROR
  ControlMaster auto
  ControlPersist 60
  ControlPath ${directory}/c-%C
`,
  );
  const child: ChildProcess = spawn(SSHD, ["-D", "-e", "-f", settings], { stdio: ["ignore", "ignore", "pipe"] });
  await listening(child);
  // The first connection, which all others go through.
  execFileSync("ssh", ["-F", config, "machine", "true"]);
  return {
    config,
    directory,
    close: () => {
      execFileSync("ssh", ["-F", config, "-O", "exit", "machine"], { stdio: "ignore" });
      child.kill("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves when it takes connections. It says so on its stderr, and nowhere else. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const failed = (): void => reject(new Error(`sshd does not start: ${said}`));
    AbortSignal.timeout(STARTS_WITHIN_MS).addEventListener("abort", failed);
    child.once("exit", failed);
    child.stderr?.on("data", (chunk) => {
      said += String(chunk);
      if (said.includes("Server listening")) resolve();
    });
  });
}
