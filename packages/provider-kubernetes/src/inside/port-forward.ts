import type { Socket } from "node:net";
import { abortError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { bytesOf } from "../access/connection.ts";
import type { Machine } from "../driver.ts";
import { statusOf } from "../statuses.ts";
import type { Inside } from "./exec.ts";

/** A port of this machine that leads to one of a pod. */
export interface PortForward extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Closes the port and every connection. */
  readonly close: () => Promise<void>;
}

export interface PortForwardOptions {
  /** Any free one if absent. */
  readonly localPort?: number | undefined;
  /** Closes it. */
  readonly signal?: AbortSignal | undefined;
}

const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const FAULT = 1;

/** Listens on the loopback. Each connection is one socket to the API server, and so has an end of its own. */
export async function forwardPort(
  inside: Inside,
  find: (call: Call) => Promise<Machine>,
  port: number,
  { localPort = 0, signal }: PortForwardOptions = {},
): Promise<PortForward> {
  const call: Call = { operation: "portForward", signal };
  const { refuse } = inside;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw refuse("INVALID_SPEC", call.operation, `${port} is not the number of a port`);
  }
  const machine = await find(call);
  const { status } = statusOf(machine.pod);
  if (status !== "running") {
    throw refuse("INVALID_STATE", call.operation, `the pod ${machine.pod.metadata.name} is ${status}, not running`);
  }
  const open = new Set<Socket>();
  // Loaded here: few programs forward a port.
  const { createServer } = await import("node:net");
  const server = createServer({ allowHalfOpen: false }, (local) => {
    open.add(local);
    local.once("close", () => open.delete(local));
    local.on("error", () => local.destroy());
    void carry(find, call, port, local).catch(() => local.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(refuse("INVALID_STATE", call.operation, `the local port ${localPort} cannot be opened`, { cause })),
    );
    server.listen(localPort, "127.0.0.1", resolve);
  });
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const local of open) local.destroy();
    await closed;
  };
  const onAbort = (): void => void close();
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) {
    // Between the two nobody heard it.
    await close();
    throw abortError(signal, { provider: inside.provider, operation: call.operation, effect: "none" });
  }
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : localPort;
  return { host: "127.0.0.1", port: bound, close, [Symbol.asyncDispose]: close };
}

async function carry(find: (call: Call) => Promise<Machine>, call: Call, port: number, local: Socket): Promise<void> {
  // Again for each connection: the name may be another instance's by now, and a socket knows nothing but the name.
  const { client, pod } = await find(call);
  const query = [["ports", String(port)]] as const;
  const socket = await client.attach(call, pod.metadata.name, "portforward", query, [PROTOCOL]);
  if (local.destroyed) return socket.cut();
  local.once("close", () => socket.cut());
  const sending = (async () => {
    for await (const chunk of local) {
      const message = Buffer.concat([Uint8Array.of(DATA), bytesOf(chunk)]);
      if (!socket.messages.write(message)) await new Promise((resolve) => socket.messages.once("drain", resolve));
    }
  })();
  // A connection that ends is destroyed below.
  sending.catch(() => undefined);
  // The first message of each channel repeats the port.
  const begun = new Set<number>();
  for await (const message of socket.messages) {
    const bytes = bytesOf(message);
    const channel = bytes[0] ?? DATA;
    if (!begun.has(channel)) begun.add(channel);
    else if (channel === FAULT) break;
    else if (!local.write(bytes.subarray(1))) await new Promise((resolve) => local.once("drain", resolve));
  }
  local.end();
}
