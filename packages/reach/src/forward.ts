import type { Socket } from "node:net";
import { abortError } from "@slipway/core";
import { refusal } from "./refusal.ts";
import type { Forward, ForwardOptions } from "./session.ts";

/** What a forward needs of its connection. */
export interface ForwardHost {
  readonly provider: string;
  /** Makes a socket in the file system that leads to the port; resolves to its path and what takes it away again. */
  readonly lead: (
    port: number,
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly path: string; readonly end: () => Promise<void> }>;
}

/**
 * A port of the loopback that leads to one of the instance. The port is this process's own: it is closed with it, and no other
 * program can take it between its choice and its use.
 */
export async function forwardPort(
  { provider, lead }: ForwardHost,
  remotePort: number,
  { localPort = 0, signal }: ForwardOptions = {},
): Promise<Forward> {
  const checked = [remotePort >= 1 ? remotePort : -1, localPort];
  if (!checked.every((port) => Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw refusal("INVALID_SPEC", provider, "forward", "a port is a whole number from 1 to 65535");
  }
  assertWanted(signal, provider);
  // Loaded here: few programs forward a port.
  const { connect, createServer } = await import("node:net");
  const { path, end } = await lead(remotePort, signal);
  const open = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      open.delete(socket);
      other.destroy();
    });
  };
  const server = createServer({ allowHalfOpen: true }, (here) => {
    const there = connect({ path, allowHalfOpen: true });
    keep(here, there);
    keep(there, here);
    here.pipe(there).pipe(here);
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };
  const closeAll = async (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await closed;
    await end();
  };
  const onAbort = (): void => void close().catch(() => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(localPort, "127.0.0.1", resolve);
    });
  } catch (cause) {
    await end();
    throw refusal("INVALID_STATE", provider, "forward", `the local port ${localPort} cannot be opened`, { cause });
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : localPort;
  signal?.addEventListener("abort", onAbort, { once: true });
  // A signal that has aborted meanwhile tells nobody again.
  if (isAborted(signal)) await close();
  assertWanted(signal, provider);
  return { host: "127.0.0.1", port, [Symbol.asyncDispose]: close };
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function assertWanted(signal: AbortSignal | undefined, provider: string): void {
  if (signal?.aborted === true) throw abortError(signal, { provider, operation: "forward", effect: "none" });
}
