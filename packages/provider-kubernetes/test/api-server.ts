import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { nameFor, type Runtime } from "@slipway/core";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type KubernetesProvider, kubernetes } from "../src/index.ts";
import { ownershipAnnotations, ownershipLabels } from "../src/ownership.ts";
import { kubeconfig, writeKubeconfig } from "./world.ts";

/** One pod that this provider has made, on a server of the loopback; a test says what its streams do. */
export interface ApiServer {
  readonly provider: KubernetesProvider;
  readonly id: string;
  phase: string;
  /** Another one is a younger pod of the same name. */
  uid: string;
  /** What each socket does; the query is that of its request. */
  onSocket: (socket: WebSocket, query: URLSearchParams) => void;
  /** Refuses the next sockets with this answer. */
  refusal: { readonly status: number; readonly body: string } | undefined;
  onLog: (query: URLSearchParams, answer: ServerResponse) => void;
}

const NAME = nameFor("o", "k");

export async function startApiServer({
  protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"],
  runtime = {},
}: {
  readonly protocols?: readonly string[];
  readonly runtime?: Partial<Runtime>;
} = {}): Promise<ApiServer> {
  const ownership = { owner: "o", key: "k", specHash: "h", labels: {} };
  const pod = () => ({
    metadata: {
      ...{ name: NAME, namespace: "machines", uid: state.uid },
      ...{ labels: ownershipLabels("o"), annotations: ownershipAnnotations(ownership) },
    },
    spec: { containers: [{ name: "main" }] },
    status: { phase: state.phase },
  });
  const http = createServer((request: IncomingMessage, answer: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://server.test");
    if (pathname.endsWith("/log")) return state.onLog(searchParams, answer);
    answer.writeHead(200, { "content-type": "application/json" });
    answer.end(JSON.stringify(pod()));
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
  });
  http.on("upgrade", (request, raw, head) => {
    if (state.refusal !== undefined) {
      const { status, body } = state.refusal;
      raw.end(
        `HTTP/1.1 ${status} No\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
      return;
    }
    const { searchParams } = new URL(request.url ?? "", "http://server.test");
    sockets.handleUpgrade(request, raw, head, (socket) => state.onSocket(socket, searchParams));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets.clients) socket.terminate();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const address = http.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const file = await writeKubeconfig(kubeconfig({ cluster: { server: `http://127.0.0.1:${port}` } }));
  const state: ApiServer = {
    provider: kubernetes({ owner: "o", kubeconfig: file, runtime }),
    id: `here/machines/${NAME}/uid-1`,
    phase: "Running",
    uid: "uid-1",
    onSocket: (socket) => socket.close(),
    refusal: undefined,
    onLog: (_, answer) => answer.end(),
  };
  return state;
}

export function frame(channel: number, text: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(channel), Buffer.from(text)]);
}

/** The last message of a command. */
export function exited(code: number): Uint8Array {
  if (code === 0) return frame(3, JSON.stringify({ metadata: {}, status: "Success" }));
  const details = { causes: [{ reason: "ExitCode", message: String(code) }] };
  const message = `command terminated with non-zero exit code: exit status ${code}`;
  return frame(3, JSON.stringify({ status: "Failure", reason: "NonZeroExitCode", message, details }));
}
