import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { SshEndpoint } from "@slipway/core";
import {
  detectIsolation,
  endSandbox,
  enterSandbox,
  identify,
  type ProcessIdentity,
  type Sandbox,
  startSandbox,
} from "../sandbox/index.ts";
import { readLightUserData } from "./light-user-data.ts";

/** What an emulated remote knows of a machine when it makes it. */
export interface EmulatedMachine {
  readonly id: string;
  /** The address that the remote shows, of 127.0.0.0/8. */
  readonly address: string;
  readonly userData: string;
  /** Public keys that the remote itself sets up. */
  readonly sshKeys: readonly string[];
}

/** Real machines behind an emulated remote. */
export interface Machines {
  readonly start: (machine: EmulatedMachine) => Promise<void>;
  /** Resolves when no process of it is left; also if there was none. */
  readonly end: (id: string) => Promise<void>;
}

/** Machines that are sandboxes of this machine, each with an sshd. */
export interface LightMachines extends Machines {
  /** Where a machine's sshd really listens, for the endpoint that the remote shows. For a session's `access.endpoint`. */
  readonly endpoint: (shown: SshEndpoint | undefined) => SshEndpoint | undefined;
  /** Ends all of them. */
  readonly close: () => Promise<void>;
}

interface Running {
  readonly sandbox: Sandbox;
  readonly sshd: ChildProcess;
  readonly endpoint: SshEndpoint;
}

const SSHD = "/usr/sbin/sshd";
const SETPRIV = "/usr/bin/setpriv";
const LISTEN_TIMEOUT_MS = 30_000;

/** Why there can be no such machines here, or null. */
export async function lightMachinesMissing(): Promise<string | null> {
  const { isolation, reason } = await detectIsolation();
  if (isolation !== "bubblewrap") return `no bubblewrap: ${reason ?? "it is switched off"}`;
  for (const program of [SSHD, SETPRIV]) if (!existsSync(program)) return `${program} is not installed`;
  return null;
}

/**
 * Machines in `directory`, which is absolute and there. The user data of each runs as root in its sandbox, read by our
 * own reader. Its sshd runs beside the sandbox as this user, on a free port of the machine's address, and every log-in
 * is led into the sandbox; the machine's user name does not matter. It ends with this process.
 */
export function lightMachines(directory: string): LightMachines {
  const starting = new Map<string, Promise<Running>>();
  const endpoints = new Map<string, SshEndpoint>();
  const placeOf = (id: string): string => join(directory, id);

  const end = async (id: string): Promise<void> => {
    const machine = await starting.get(id)?.catch(() => null);
    const sshd = machine === undefined || machine === null ? null : await stopped(machine.sshd);
    // With the sshd go its connections, which outlive it otherwise.
    await endSandbox({ id: `light-${id}`, directory: placeOf(id), ...(sshd === null ? {} : { process: sshd }) });
    await rm(placeOf(id), { recursive: true, force: true });
    starting.delete(id);
    for (const [address, endpoint] of endpoints) if (endpoint === machine?.endpoint) endpoints.delete(address);
  };
  return {
    start: async (machine) => {
      const work = startMachine(placeOf(machine.id), machine);
      starting.set(machine.id, work);
      endpoints.set(machine.address, (await work).endpoint);
    },
    end,
    endpoint: (shown) => (shown === undefined ? undefined : endpoints.get(shown.host)),
    close: async () => {
      await Promise.all([...starting.keys()].map(end));
    },
  };
}

/** Takes no more connections; null if it has ended. Until its end is noticed here, nobody else has its process id. */
async function stopped(sshd: ChildProcess): Promise<ProcessIdentity | null> {
  if (sshd.pid === undefined || sshd.exitCode !== null || sshd.signalCode !== null) return null;
  sshd.kill("SIGSTOP");
  return await identify(sshd.pid);
}

async function startMachine(directory: string, machine: EmulatedMachine): Promise<Running> {
  const { id, address } = machine;
  const { script, sshKeys } = await readLightUserData(machine.userData);
  const boot = join(directory, "root", "var", "lib", "cloud");
  // Closed to other users of the host: its root can hold setuid programs of the host's root.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir(boot, { recursive: true });
  await writeFile(join(boot, "light-boot"), script, { mode: 0o700 });
  const sandbox = await startSandbox({
    id: `light-${id}`,
    directory,
    isolation: await detectIsolation(),
    argv: ["/bin/sh", "-c", "/bin/sh /var/lib/cloud/light-boot; exec sleep infinity"],
  });
  const keys = [...machine.sshKeys, ...sshKeys].map((key) => `${key}\n`).join("");
  await writeFile(join(directory, "authorized_keys"), keys, { mode: 0o600 });
  await writeFile(join(directory, "enter"), await enterScript(sandbox), { mode: 0o700 });
  const port = await freePort(address);
  const sshd = await startSshd(directory, address, port);
  return { sandbox, sshd, endpoint: { host: address, port, user: userInfo().username } };
}

/** What sshd runs for every log-in: the client's command in the sandbox, as the leader of a process group of its own. */
async function enterScript(sandbox: Sandbox): Promise<string> {
  const inside = ["setsid", "/bin/sh", "-c", 'exec /bin/sh -c "$1"', "sh"];
  const { file, args, environment } = await enterSandbox(sandbox, inside);
  const words = ["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), file, ...args];
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  // The sandbox may have ended before its sshd, and the process id may be another machine's by now.
  const { pid, startTime } = sandbox.process;
  const seen = `sed 's/.*) //' /proc/${pid}/stat 2>/dev/null | cut -d ' ' -f 20`;
  return `#!/bin/sh\n[ "$(${seen})" = '${startTime}' ] || exit 255\nexec ${quoted} "\${SSH_ORIGINAL_COMMAND:-exec /bin/sh}"\n`;
}

async function startSshd(directory: string, address: string, port: number): Promise<ChildProcess> {
  const hostKey = join(directory, "host_key");
  const { promisify } = process.getBuiltinModule("node:util");
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
  const config = join(directory, "sshd_config");
  const lines = [
    ...[`ListenAddress ${address}`, `Port ${port}`, `HostKey ${hostKey}`, "PidFile none", "UsePAM no", "UseDNS no"],
    ...["PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password"],
    ...["StrictModes no", `AuthorizedKeysFile ${join(directory, "authorized_keys")}`, "X11Forwarding no"],
    // Each by itself too: before 10.0 DisableForwarding leaves out X11 and the agent.
    ...["DisableForwarding yes", "AllowTcpForwarding no", "AllowStreamLocalForwarding no", "AllowAgentForwarding no"],
    ...["PermitTunnel no", "PermitUserRC no", "PermitUserEnvironment no", `AllowUsers ${userInfo().username}`],
    ...["PrintMotd no", "PrintLastLog no"],
    ...["MaxStartups 200", "MaxSessions 200", `ForceCommand ${join(directory, "enter")}`],
  ];
  await writeFile(config, `${lines.join("\n")}\n`, { mode: 0o600 });
  // As root it wants this directory, which a machine without a running sshd may lack.
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  // It must not outlive the emulator: nothing else would end it.
  const child = spawn(SETPRIV, ["--pdeathsig", "TERM", "--", SSHD, "-D", "-e", "-f", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
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

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const at = server.address();
  server.close();
  if (typeof at === "object" && at !== null) return at.port;
  throw new Error("no free port");
}
