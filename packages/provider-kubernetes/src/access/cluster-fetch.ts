import type { Agent, RequestOptions } from "node:https";
import type { ClusterTls } from "./kubeconfig.ts";

const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
const CUT: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

/**
 * `fetch` for one API server: Node's own takes neither a cluster's CA nor a client certificate without one more
 * dependency. It follows no redirect and keeps connections open.
 */
export function clusterFetch(tls: () => ClusterTls): typeof globalThis.fetch {
  let loading: Promise<NodeHttp> | undefined;
  return async (input, init) => {
    const asked = new Request(input, init);
    const node = await (loading ??= load());
    const body = asked.body === null ? undefined : Buffer.from(await asked.arrayBuffer());
    try {
      return await exchange(node, asked, body, tls(), node.agent);
    } catch (error) {
      // A kept connection that the server had closed already, most likely. Each request of ours may be repeated.
      if (!(error instanceof ReusedConnectionCut)) throw error;
      return await exchange(node, asked, body, tls(), undefined).catch((again: unknown) => {
        // Of a write, that the repeat was never sent says nothing of the first.
        throw asked.method === "GET" ? again : error;
      });
    }
  };
}

class ReusedConnectionCut extends Error {}

type NodeHttp = Awaited<ReturnType<typeof load>>;

/** At the first request: they are more than half of what the import of this package would cost. */
async function load() {
  const [http, https, { Readable }] = await Promise.all([
    import("node:http"),
    import("node:https"),
    import("node:stream"),
  ]);
  return { http, https, Readable, agent: new https.Agent({ keepAlive: true, timeout: 60_000 }) };
}

function exchange(
  { http, https, Readable }: NodeHttp,
  asked: Request,
  body: Buffer | undefined,
  { ca, cert, key, servername, insecure }: ClusterTls,
  agent: Agent | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const url = new URL(asked.url);
    const secure = url.protocol === "https:";
    const options: RequestOptions = {
      method: asked.method,
      headers: {
        ...Object.fromEntries(asked.headers),
        ...(body === undefined ? {} : { "content-length": String(body.byteLength) }),
      },
      signal: asked.signal,
      ...(secure ? { agent, ca, cert, key, servername, rejectUnauthorized: !insecure } : {}),
    };
    const request = (secure ? https : http).request(url, options, (answer) => {
      const { statusCode: status = 502, rawHeaders } = answer;
      const headers = new Headers();
      for (let at = 0; at + 1 < rawHeaders.length; at += 2)
        headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
      if (NO_BODY.has(status)) {
        answer.resume();
        resolve(new Response(null, { status, headers }));
        return;
      }
      resolve(new Response(Readable.toWeb(answer), { status, headers }));
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && agent !== undefined && CUT.has(error.code ?? "");
      reject(isStale ? new ReusedConnectionCut(error.message, { cause: error }) : error);
    });
    request.end(body);
  });
}
