import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Port } from "@slipway/core";
import type { Publish } from "./run-arguments.ts";

const HOST = "127.0.0.1";

/** A port of 127.0.0.1 that was free just now: the command takes no "any". */
async function freePort(protocol: "tcp" | "udp"): Promise<number> {
  if (protocol === "udp") {
    const socket = createSocket("udp4");
    socket.bind(0, HOST);
    await once(socket, "listening");
    const { port } = socket.address();
    await new Promise<void>((closed) => socket.close(() => closed()));
    return port;
  }
  const server = createServer();
  server.listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}

/** Each port with its place on the host, chosen where the caller left it open. */
export async function publishOf(ports: readonly Port[]): Promise<readonly Publish[]> {
  const chosen: Publish[] = [];
  const isTaken = (hostPort: number, protocol: string): boolean =>
    chosen.some((each) => each.hostPort === hostPort && each.protocol === protocol) ||
    ports.some((each) => each.hostPort === hostPort && (each.protocol ?? "tcp") === protocol);
  for (const { port, protocol = "tcp", hostPort } of ports) {
    let place = hostPort ?? (await freePort(protocol));
    while (hostPort === undefined && isTaken(place, protocol)) place = await freePort(protocol);
    chosen.push({ port, protocol, hostPort: place });
  }
  return chosen;
}
