import { once } from "node:events";
import { createServer } from "node:net";

// Below what the kernels of Linux, macOS and Windows hand out by themselves: from there any connection of any process
// may take a port between the look and its use.
const FIRST = 15_000;
const LAST = 32_000;
const TRIES = 100;

/**
 * Free ports for servers that take no socket and cannot choose their own port, or must have the same again after a restart.
 * A look and no reservation: start the server soon.
 */
export async function freePorts(count: number, address = "127.0.0.1"): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count && tries < count * TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (!ports.has(port) && (await isFree(port, address))) ports.add(port);
  }
  if (ports.size < count) throw new Error(`${address} has no ${count} free ports between ${FIRST} and ${LAST}`);
  return [...ports];
}

/** One of them. */
export async function freePort(address?: string): Promise<number> {
  const [port = 0] = await freePorts(1, address);
  return port;
}

/** Can a server listen there now? */
export async function isFree(port: number, address: string): Promise<boolean> {
  const server = createServer().listen(port, address);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
