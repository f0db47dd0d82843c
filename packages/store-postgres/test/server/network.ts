import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readlink } from "node:fs/promises";
import { connect, createServer, type NetConnectOpts } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** This side of the cable to the other host. */
export const HERE = "10.77.9.1";
const THERE = "10.77.9.2";
const CABLE = "cable";

/** A program on a host of its own: a network namespace, and a cable that leads to this one. */
export interface Host {
  readonly child: ChildProcess;
  /** As a cable that is pulled: nobody is told, and what is sent is lost. */
  readonly cutOff: () => Promise<void>;
  readonly connect: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Only where this process has a network namespace of its own: see `unshare --net`. */
export async function startHost(command: readonly string[]): Promise<Host> {
  // The program begins once its host has an address.
  const child = spawn("unshare", ["--net", "sh", "-c", 'read -r cable && exec "$@"', "sh", ...command], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const pid = String(child.pid);
  const ip = (...words: readonly string[]) => run("ip", words);
  const inside = (...words: readonly string[]) => run("nsenter", ["--target", pid, "--net", "ip", ...words]);
  const space = (one: string): Promise<string> => readlink(`/proc/${one}/ns/net`);
  while ((await space(pid)) === (await space("self"))) {
    if (child.exitCode !== null) throw new Error("the host has no namespace of its own");
    await pause(20);
  }
  await ip("link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", pid);
  await ip("address", "add", `${HERE}/30`, "dev", CABLE);
  await ip("link", "set", CABLE, "up");
  await inside("link", "set", "lo", "up");
  await inside("address", "add", `${THERE}/30`, "dev", CABLE);
  await inside("link", "set", CABLE, "up");
  child.stdin?.write("\n");
  return {
    child,
    cutOff: async () => void (await ip("link", "set", CABLE, "down")),
    connect: async () => void (await ip("link", "set", CABLE, "up")),
    end: async () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
        const gone = once(child, "exit");
        process.kill(-child.pid, "SIGKILL");
        await gone;
      }
      // The kernel removes it some time after the last process of its namespace.
      await ip("link", "delete", CABLE).catch(() => undefined);
    },
  };
}

/** The way from the other host to a server of this one: the port that it is reached at. */
export async function openGateway(to: NetConnectOpts, port = 0): Promise<number> {
  const server = createServer((from) => {
    const other = connect(to);
    from.on("error", () => other.destroy());
    other.on("error", () => from.destroy());
    from.pipe(other).pipe(from);
  });
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the gateway has no port");
  return address.port;
}
