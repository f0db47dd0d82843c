import { Agent, request } from "node:https";
import type { TestCluster } from "./test-cluster.ts";

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
  /** The body; null if it is no JSON. */
  readonly json: unknown;
}

/** A plain client with every right, apart from the provider's own. */
export interface Admin {
  readonly request: (method: string, path: string, body?: unknown) => Promise<AdminAnswer>;
  /** Lines of a watch, until the signal aborts. */
  readonly watch: (path: string, signal: AbortSignal, onEvent: (event: unknown) => void) => Promise<void>;
}

type Reached = Pick<TestCluster, "url" | "ca" | "adminToken">;

export function adminOf({ url, ca, adminToken }: Reached): Admin {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const headers = { authorization: `Bearer ${adminToken}` };
  return {
    request: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
        const more = text === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(text) };
        const sent = request(new URL(path, url), { method, ca, agent, headers: { ...headers, ...more } }, (answer) => {
          let said = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => {
            said += chunk;
          });
          answer.on("error", reject);
          answer.on("end", () => {
            const contentType = answer.headers["content-type"] ?? "";
            resolve({ status: answer.statusCode ?? 0, text: said, contentType, json: jsonOf(said) });
          });
        });
        sent.on("error", reject);
        sent.end(text);
      }),
    watch: (path, signal, onEvent) =>
      new Promise((resolve, reject) => {
        const sent = request(new URL(path, url), { ca, headers, signal }, (answer) => {
          let rest = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => {
            const lines = `${rest}${chunk}`.split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) if (line !== "") onEvent(jsonOf(line));
          });
          answer.on("end", resolve);
          answer.on("error", () => resolve());
        });
        sent.on("error", (error) => (signal.aborted ? resolve() : reject(error)));
        sent.end();
      }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
