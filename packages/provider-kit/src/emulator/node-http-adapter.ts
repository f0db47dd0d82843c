import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface NodeHttpServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Ends every connection, also those under way, and resolves when the port is free. */
  readonly close: () => Promise<void>;
}

export interface NodeHttpAdapterOptions {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** The largest body of a request; 10 MiB if absent. A larger one is answered with 413. */
  readonly maxBodyBytes?: number | undefined;
  /** What the handler threw; the client gets a 500 without it. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Serves a fetch handler on the loopback. The request's signal aborts when the client goes away. `Response.error()` as
 * the answer breaks the connection without one, as a lost reply does.
 */
export async function nodeHttpAdapter(
  handler: (request: Request) => Promise<Response>,
  options: NodeHttpAdapterOptions = {},
): Promise<NodeHttpServer> {
  const { port = 0, maxBodyBytes = 10 * 1024 * 1024, onError = () => undefined } = options;
  // Loaded where it is needed: most who use an emulator serve nothing.
  const { createServer } = await import("node:http");
  const server = createServer((incoming, outgoing) => {
    serve(handler, incoming, outgoing, { maxBodyBytes, onError }).catch(onError);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no port");
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        // Closing twice is an error of the server, and none of ours.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { maxBodyBytes, onError }: { readonly maxBodyBytes: number; readonly onError: (error: unknown) => void },
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const body = new BoundedBody(maxBodyBytes);
  let response = refusalOf(incoming, maxBodyBytes);
  try {
    response ??= await handler(requestOf(incoming, body, gone.signal));
  } catch (error) {
    if (!body.isTooLarge) onError(error);
    response = new Response("the handler failed\n", { status: 500 });
  }
  // Whatever the handler made of the part that it got.
  if (body.isTooLarge) response = tooLarge(maxBodyBytes);
  if (response.status === 413) outgoing.shouldKeepAlive = false;
  if (response.type === "error") {
    incoming.socket.destroy();
    return;
  }
  if (outgoing.destroyed) return;
  outgoing.statusCode = response.status;
  if (response.statusText !== "") outgoing.statusMessage = response.statusText;
  // Several cookies are several headers; joined by commas they could not be told apart.
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of response.headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (response.body === null) {
    outgoing.end();
    return;
  }
  try {
    await pipeline(Readable.fromWeb(response.body), outgoing);
  } catch (error) {
    // The client went away in the middle: nobody is left to be told.
    if (!gone.signal.aborted) onError(error);
  }
}

/** Lets no more through than a server keeps in memory for one request. */
class BoundedBody extends Transform {
  isTooLarge = false;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.byteLength;
    this.isTooLarge ||= this.#bytes > this.#maxBytes;
    if (this.isTooLarge) done(new Error(`the body is larger than ${this.#maxBytes} bytes`));
    else done(null, chunk);
  }
}

// Those that a Request cannot have, as fetch's standard says.
const UNKNOWN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** The answer to what no handler gets to see; null for all else. */
function refusalOf({ method = "GET", headers }: IncomingMessage, maxBytes: number): Response | null {
  if (UNKNOWN_METHODS.has(method.toUpperCase())) {
    return new Response(`${method} is not allowed\n`, {
      status: 405,
      headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
    });
  }
  return Number(headers["content-length"] ?? 0) > maxBytes ? tooLarge(maxBytes) : null;
}

function tooLarge(maxBytes: number): Response {
  return new Response(`the body is larger than ${maxBytes} bytes\n`, { status: 413 });
}

function requestOf(incoming: IncomingMessage, body: BoundedBody, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const { method = "GET", url = "/" } = incoming;
  // Never the client's Host header: it may hold anything, and this server has one name only.
  const { localPort } = incoming.socket;
  const target = new URL(`http://127.0.0.1:${localPort}`);
  const cut = url.indexOf("?");
  target.pathname = cut === -1 ? url : url.slice(0, cut);
  target.search = cut === -1 ? "" : url.slice(cut);
  const bodyless = method === "GET" || method === "HEAD";
  if (bodyless) return new Request(target, { method, headers, signal });
  // The reader of the body gets what goes wrong with it.
  pipeline(incoming, body).catch(() => undefined);
  const web = Readable.toWeb(body) as ReadableStream<Uint8Array>;
  return new Request(target, { method, headers, signal, body: web, duplex: "half" });
}
