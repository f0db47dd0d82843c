import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A fetch handler as a listener for `node:http`. It never throws: whatever a client sends has an answer.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 *
 * export const server = createServer(nodeListener(async (request) => new Response(request.url)));
 * ```
 */
export function nodeListener(
  handle: (request: Request) => Promise<Response>,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    void respond(handle, incoming, outgoing).catch(() => {
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end();
    });
  };
}

async function respond(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = requestOf(incoming);
  const response = request === null ? new Response(null, { status: 400 }) : await handle(request);
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  // What was not read is not waited for.
  outgoing.end(body, () => incoming.complete || incoming.destroy());
}

/** Null for what HTTP allows and no Request can be, as a TRACE, or a name and a password in the address. */
function requestOf(incoming: IncomingMessage): Request | null {
  const { method = "GET" } = incoming;
  try {
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers)) {
      for (const one of [value ?? []].flat()) headers.append(name, one);
    }
    // Where it came in is the server's to know: the handler asks for none of it.
    const url = URL.parse(incoming.url ?? "/", "http://localhost") ?? "http://localhost/";
    if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
    return new Request(url, { method, headers, body: bytesOf(incoming), duplex: "half" });
  } catch {
    return null;
  }
}

function bytesOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]();
  return new ReadableStream({
    pull: async (controller) => {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
  });
}
