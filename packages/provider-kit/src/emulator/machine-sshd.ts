import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { SshEndpoint } from "@slipway/core";
import { enterSandbox, identify, type ProcessIdentity, type Sandbox } from "../sandbox/index.ts";
import { freePort, isFree } from "./free-ports.ts";

/** What a machine's ssh server is started for. */
export interface SshServerSpec {
  /** The machine's own. */
  readonly directory: string;
  readonly address: string;
  /** What `canListenAsShown` says. */
  readonly asShown: boolean;
  readonly sandbox: Sandbox;
  /** Of those that are there, each key lets in. The machine may write them. */
  readonly keyFiles: readonly string[];
}

/** A machine's ssh server, and where it listens. */
export interface SshServer {
  readonly endpoint: SshEndpoint;
  /** Takes no more connections. The process whose end ends those that there are; null if none is left. */
  readonly halt: () => Promise<ProcessIdentity | null>;
}

const SSHD = "/usr/sbin/sshd";
const SETPRIV = "/usr/bin/setpriv";
const UNSHARE = "/usr/bin/unshare";
export const SHOWN_PORT = 22;
const LISTEN_TIMEOUT_MS = 30_000;
/** Log-in names of the images that remotes offer. Each is root inside. */
export const LOGIN_NAMES: readonly string[] = ["root", "ubuntu", "admin", "debian", "ec2-user", "slipway", "user"];

/** Which program of the host is missing for an sshd, or null. */
export function sshdMissing(): string | null {
  return [SSHD, SETPRIV].find((program) => !existsSync(program)) ?? null;
}

/**
 * Whether sshds can listen where remotes show them: on port 22, under log-in names that the host does not have. The root
 * of the host can do so, unless a server of the host has that port of all addresses, as its own sshd mostly does. Anybody
 * else's listen on a free port, under the user's own name. The address is one of the loopback that nobody else uses.
 */
export async function canListenAsShown(address: string, port: number = SHOWN_PORT): Promise<boolean> {
  if (userInfo().uid !== 0 || !(await isFree(port, address))) return false;
  return await succeeds(UNSHARE, ["--mount", "--propagation", "private", "true"]);
}

/**
 * Starts the sshd of a machine beside its sandbox. Every log-in is led into the sandbox, and is root there. It ends with
 * this process.
 */
export async function startSshd({ directory, address, asShown, sandbox, keyFiles }: SshServerSpec): Promise<SshServer> {
  await writeFile(join(directory, "enter"), await enterScript(sandbox), { mode: 0o700 });
  const hostKey = join(directory, "host_key");
  if (!existsSync(hostKey)) await makeHostKey(hostKey);
  const port = asShown ? SHOWN_PORT : await freePort(address);
  const user = userInfo().username;
  const config = join(directory, "sshd_config");
  const names = asShown ? LOGIN_NAMES.join(" ") : user;
  await writeFile(config, `${settings(directory, { address, port, hostKey, names, keyFiles }).join("\n")}\n`, {
    mode: 0o600,
  });
  // As root it wants this directory, which a machine without a running sshd may lack.
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const users = asShown ? await writeUsers(directory) : null;
  const child = await listening(config, users);
  return { endpoint: { host: address, port, user }, halt: () => haltSshd(child) };
}

/** The users that this sshd sees. */
async function writeUsers(directory: string): Promise<string> {
  const path = join(directory, "passwd");
  const own = LOGIN_NAMES.map((name) => `${name}:x:0:0::/:/bin/sh\n`).join("");
  await writeFile(path, own + (await readFile("/etc/passwd", "utf8")), { mode: 0o644 });
  return path;
}

/** Takes no more connections; null if it has ended. Until its end is noticed here, nobody else has its process id. */
async function haltSshd(child: ChildProcess): Promise<ProcessIdentity | null> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return null;
  child.kill("SIGSTOP");
  return await identify(child.pid);
}

/** What runs for every log-in: the client's command in the sandbox, as the leader of a process group of its own. */
export async function enterScript(sandbox: Sandbox): Promise<string> {
  const inside = ["setsid", "/bin/sh", "-c", 'exec /bin/sh -c "$1"', "sh"];
  const { file, args, environment } = await enterSandbox(sandbox, inside);
  const words = ["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), file, ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  // The sandbox may have ended before its sshd, and the process id may be another machine's by now.
  const { pid, startTime } = sandbox.process;
  const seen = `sed 's/.*) //' /proc/${pid}/stat 2>/dev/null | cut -d ' ' -f 20`;
  return `#!/bin/sh\n[ "$(${seen})" = '${startTime}' ] || exit 255\nexec ${quoted} "\${SSH_ORIGINAL_COMMAND:-exec /bin/sh}"\n`;
}

interface Listening {
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
  readonly names: string;
  readonly keyFiles: readonly string[];
}

function settings(directory: string, { address, port, hostKey, names, keyFiles }: Listening): readonly string[] {
  return [
    ...[`ListenAddress ${address}`, `Port ${port}`, `HostKey ${hostKey}`, "PidFile none", "UsePAM no", "UseDNS no"],
    ...["PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password"],
    ...["StrictModes no", `AuthorizedKeysFile ${keyFiles.join(" ")}`, "X11Forwarding no"],
    // Each by itself too: before 10.0 DisableForwarding leaves out X11 and the agent.
    ...["DisableForwarding yes", "AllowTcpForwarding no", "AllowStreamLocalForwarding no", "AllowAgentForwarding no"],
    ...["PermitTunnel no", "PermitUserRC no", "PermitUserEnvironment no", `AllowUsers ${names}`],
    ...["PrintMotd no", "PrintLastLog no"],
    ...["MaxStartups 200", "MaxSessions 200", `ForceCommand ${join(directory, "enter")}`],
  ];
}

async function listening(config: string, users: string | null): Promise<ChildProcess> {
  // It must not outlive the emulator: nothing else would end it.
  const sshd = ["--pdeathsig", "TERM", "--", SSHD, "-D", "-e", "-f", config];
  // The signal is asked for in the process that stays.
  const withUsers = `mount --bind "$1" /etc/passwd && shift && exec "$@"`;
  const [file, args] =
    users === null
      ? [SETPRIV, sshd]
      : [
          UNSHARE,
          ["--mount", "--propagation", "private", "--", "/bin/sh", "-c", withUsers, "sh", users, SETPRIV, ...sshd],
        ];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let said = "";
    const fail = (): void => {
      clearTimeout(timer);
      child.kill();
      reject(new Error(`sshd does not listen: ${said.trim().slice(0, 300)}`));
    };
    const timer = setTimeout(fail, LISTEN_TIMEOUT_MS);
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (said.length < 4096) said += chunk;
      if (!said.includes("Server listening")) return;
      clearTimeout(timer);
      resolve();
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("exit", fail);
  });
  child.unref();
  // Its pipe too, or this process would never end by itself.
  (child.stderr as Socket).unref();
  return child;
}

async function makeHostKey(path: string): Promise<void> {
  const { promisify } = process.getBuiltinModule("node:util");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
}

async function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(file, args, { stdio: "ignore" });
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("exit", resolve);
  });
  return code === 0;
}
