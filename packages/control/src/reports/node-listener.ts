import type { IncomingMessage, ServerResponse } from "node:http";

/** A fetch handler as a listener for `node:http`. */
export function nodeListener(
  handle: (request: Request) => Promise<Response>,
): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    void handle(requestOf(incoming)).then(
      async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        // What was not read is not waited for.
        outgoing.end(Buffer.from(await response.arrayBuffer()), () => incoming.complete || incoming.destroy());
      },
      () => {
        outgoing.writeHead(500);
        outgoing.end();
      },
    );
  };
}

function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const { method = "GET" } = incoming;
  // Where it came in is the server's to know: the handler asks for none of it.
  const url = URL.parse(incoming.url ?? "/", "http://localhost") ?? "http://localhost/";
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
  return new Request(url, { method, headers, body: bytesOf(incoming), duplex: "half" });
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
