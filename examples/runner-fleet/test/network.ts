import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
export const NETWORK = "10.77.0.0/16";

/** A host of its own: a network namespace, and a cable that leads to this one. */
export interface Host {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** As a cable that is pulled. */
  readonly cutOff: () => Promise<void>;
  readonly kill: () => void;
}

/** Starts a program of Node on a host; its first argument is the address of this side of the cable. */
export async function startHost(
  number: number,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Host> {
  const [own, there, cable] = [`10.77.${number}.1`, `10.77.${number}.2`, `host${number}`];
  const command = [process.execPath, "--conditions=@slipway/source", "--no-warnings", program, own, ...args];
  // The program begins once its host has an address.
  const child = spawn("unshare", ["--net", "sh", "-c", 'read -r cable && exec "$@"', "sh", ...command], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
    env,
  });
  const ended = once(child, "exit");
  const pid = String(child.pid);
  const ip = (...words: readonly string[]) => run("ip", words);
  const inside = (...words: readonly string[]) => run("nsenter", ["--target", pid, "--net", "ip", ...words]);
  const space = (one: string): Promise<string> => readlink(`/proc/${one}/ns/net`);
  while ((await space(pid)) === (await space("self"))) {
    if (child.exitCode !== null) throw new Error("the host has no namespace of its own");
    await pause(20);
  }
  await ip("link", "add", cable, "type", "veth", "peer", "name", "cable", "netns", pid);
  await ip("address", "add", `${own}/30`, "dev", cable);
  await ip("link", "set", cable, "up");
  await inside("link", "set", "lo", "up");
  await inside("address", "add", `${there}/30`, "dev", "cable");
  await inside("link", "set", "cable", "up");
  child.stdin?.write("\n");
  return {
    child,
    ended,
    cutOff: async () => void (await ip("link", "set", cable, "down")),
    kill: () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

/** The way from the hosts to a port of this namespace's loopback. */
export async function openGateway(port: number): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((from) => {
    const to = connect(port, "127.0.0.1");
    from.on("error", () => to.destroy());
    to.on("error", () => from.destroy());
    from.pipe(to).pipe(from);
  });
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the gateway has no port");
  return { port: address.port, server };
}
