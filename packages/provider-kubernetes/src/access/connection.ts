import type { Duplex } from "node:stream";
import {
  abortError,
  checksumOf,
  type ErrorCode,
  type ErrorEffect,
  isProviderError,
  type Runtime,
  runtimeDefaults,
} from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { Refusal } from "@slipway/provider-kit/errors";
import { type HttpCall, type HttpClient, httpClient, neverSent, redact } from "@slipway/provider-kit/http";
import { limits } from "@slipway/provider-kit/limits";
import type { WebSocket } from "ws";
import { meaningOf } from "../errors.ts";
import { VERSION } from "../package-version.ts";
import { clusterFetch } from "./cluster-fetch.ts";
import { type Credential, credentialsOf } from "./credentials.ts";
import type { AccessRefusal, ClusterAccess } from "./kubeconfig.ts";

/** Whose connection it is: the name of the provider in errors and events, and how it refuses. */
export interface ClientUser {
  readonly name: string;
  readonly refuse: Refusal;
}

/** A request whose answer is a stream. */
export interface StreamCall extends Call {
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
}

/** A WebSocket to the API server, as a stream of whole messages. */
export interface ClusterSocket {
  /** The sub-protocol that the server chose. */
  readonly protocol: string;
  readonly messages: Duplex;
  /** Sends a ping; `onPong` is called at each answer to one. */
  readonly ping: () => void;
  readonly onPong: (listener: () => void) => void;
  readonly cut: () => void;
}

/** One context of a kubeconfig, with its credential: requests, answers that stream, and sockets. */
export interface Connection {
  readonly access: ClusterAccess;
  readonly call: <T>(call: HttpCall<T>) => Promise<T>;
  /** The body of an answer of any length; it ends with the call's signal. */
  readonly stream: (call: StreamCall) => Promise<ReadableStream<Uint8Array>>;
  readonly socket: (call: StreamCall, protocols: readonly string[]) => Promise<ClusterSocket>;
}

const ANSWER_MS = 30_000;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
// The server protects itself; this only keeps one client from taking all of a small one.
const BUCKETS = [{ operation: "*", capacity: 200, refillPerSecond: 100 }];

/** The refusals of one call. */
export function refusalOf({ refuse }: ClientUser, operation: Call["operation"]): AccessRefusal {
  return (code, message, details) => refuse(code, operation, message, details);
}

export function connectionTo(
  access: ClusterAccess,
  user: ClientUser,
  runtime: Partial<Runtime> | undefined,
): Connection {
  const { clock, onEvent } = runtimeDefaults(runtime);
  const credentials = credentialsOf(access, { clock, exec: runtime?.exec });
  let current: Credential = { token: undefined };
  const tls = () => ({ ...access.tls, cert: current.cert ?? access.tls.cert, key: current.key ?? access.tls.key });
  const authorization = (): Record<string, string> =>
    current.token === undefined ? {} : { authorization: `Bearer ${current.token}` };
  const secrets = () => [current.token, current.key].filter((each) => each !== undefined);
  const userAgent = `slipway-provider-${user.name}/${VERSION}`;
  const fetch = runtime?.fetch ?? clusterFetch(tls);
  const baseUrl = access.server.endsWith("/") ? access.server : `${access.server}/`;
  const http: HttpClient = httpClient({
    provider: user.name,
    baseUrl,
    account: checksumOf(`${access.server} ${access.namespace}`).slice(7, 19),
    credentials: authorization,
    secrets,
    userAgent,
    meaningOf,
    runtime: { ...runtime, fetch },
    limits: runtime?.limits ?? limits({ clock, onEvent, provider: user.name, buckets: BUCKETS }),
    maxAnswerBytes: 64 * 1024 * 1024,
  });

  /** With the newest credential, and again with another one if the server refuses it. */
  const authorized = async <T>(operation: Call["operation"], work: () => Promise<T>): Promise<T> => {
    const refuse = refusalOf(user, operation);
    current = await credentials.current(refuse);
    try {
      return await work();
    } catch (error) {
      const isRefused = isProviderError(error, "AUTH_ERROR") && error.native?.status === 401;
      if (!isRefused || !credentials.mayChange) throw error;
      current = await credentials.current(refuse, true);
      return await work();
    }
  };
  const urlOf = ({ path, query }: StreamCall): URL => {
    const url = new URL(path, baseUrl);
    for (const [name, value] of query) url.searchParams.append(name, value);
    return url;
  };

  /** What a refusal means; nothing has begun. */
  const refusedBy = ({ operation }: Call, status: number, body: string): Error => {
    const answer = { status, headers: new Headers(), text: body, ...parsed(body) };
    const special = OF_STREAMS.find((row) => row.status === status && row.says.test(body));
    const meaning = special === undefined ? meaningOf(answer, operation) : undefined;
    const code: ErrorCode = special?.code ?? meaning?.code ?? "UNAVAILABLE";
    const said = redact((meaning?.nativeMessage ?? body).trim(), secrets()).slice(0, 500);
    const native = { status, ...(meaning?.nativeCode === undefined ? {} : { code: meaning.nativeCode }) };
    const message = `${operation} was refused (HTTP ${status})${said === "" ? "" : `: ${said}`}`;
    return user.refuse(code, operation, message, { hint: meaning?.hint, native });
  };
  const cutOff = ({ operation, signal }: Call, cause: unknown, sent: ErrorEffect): Error => {
    const effect = neverSent(cause) ? "none" : sent;
    if (signal?.aborted === true) return abortError(signal, { provider: user.name, operation, effect });
    return user.refuse("NETWORK", operation, `no answer from ${new URL(baseUrl).host}`, { cause, effect });
  };

  const stream = async (call: StreamCall): Promise<ReadableStream<Uint8Array>> => {
    const stop = new AbortController();
    const answered = new AbortController();
    const signal = call.signal === undefined ? stop.signal : AbortSignal.any([call.signal, stop.signal]);
    clock.sleep(ANSWER_MS, answered.signal).then(
      () => stop.abort(new Error(`no answer within ${ANSWER_MS} ms`)),
      () => undefined,
    );
    try {
      const headers = { ...authorization(), "user-agent": userAgent };
      const answer = await fetch(urlOf(call), { headers, signal, redirect: "manual" });
      if (answer.status !== 200) throw refusedBy(call, answer.status, (await answer.text()).slice(0, MAX_ERROR_BYTES));
      return answer.body ?? new Blob([]).stream();
    } catch (error) {
      throw isProviderError(error) ? error : cutOff(call, error, "none");
    } finally {
      answered.abort();
    }
  };

  const socket = async (call: StreamCall, protocols: readonly string[]): Promise<ClusterSocket> => {
    const { createWebSocketStream, WebSocket: Socket } = await import("ws");
    const url = urlOf(call);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const { ca, cert, key, servername, insecure } = tls();
    const opened = new Socket(url, [...protocols], {
      headers: { ...authorization(), "user-agent": userAgent },
      ...{ ca, cert, key, servername, rejectUnauthorized: !insecure },
      handshakeTimeout: ANSWER_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    const messages = createWebSocketStream(opened, { readableObjectMode: true });
    // Whoever reads the stream gets the error there.
    messages.on("error", () => undefined);
    const abort = (): void => opened.terminate();
    call.signal?.addEventListener("abort", abort, { once: true });
    try {
      await handshake(opened, (status, body) => refusedBy(call, status, body));
    } catch (error) {
      opened.terminate();
      // A command begins with the handshake.
      throw isProviderError(error) ? error : cutOff(call, error, "unknown");
    } finally {
      call.signal?.removeEventListener("abort", abort);
    }
    return {
      protocol: opened.protocol,
      messages,
      ping: () => opened.ping(),
      onPong: (listener) => opened.on("pong", listener),
      cut: () => opened.terminate(),
    };
  };

  return {
    access,
    call: (call) => authorized(call.operation, () => http.call(call)),
    stream: (call) => authorized(call.operation, () => stream(call)),
    socket: (call, protocols) => authorized(call.operation, () => socket(call, protocols)),
  };
}

// Refusals of streams alone: the pod is not yet, or no longer, in a state to have one.
const OF_STREAMS = [
  {
    status: 400,
    says: /is waiting to start|does not have a host assigned|previous terminated container/,
    code: "INVALID_STATE",
  },
  { status: 500, says: /container not found|container is in CONTAINER_EXITED|is not running/, code: "INVALID_STATE" },
  // None of the sub-protocols that were offered.
  { status: 403, says: /^$/, code: "UNSUPPORTED" },
] as const;

function handshake(socket: WebSocket, refused: (status: number, body: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once("unexpected-response", (_request, answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        if (body.length < MAX_ERROR_BYTES) body += chunk;
      });
      answer.once("end", () => reject(refused(answer.statusCode ?? 502, body)));
      answer.once("error", reject);
    });
  });
}

/** A message as bytes. */
export function bytesOf(message: Uint8Array | ArrayBuffer | readonly Uint8Array[] | string): Uint8Array {
  if (typeof message === "string") return Buffer.from(message);
  if (message instanceof Uint8Array) return message;
  return message instanceof ArrayBuffer ? new Uint8Array(message) : Buffer.concat(message);
}

function parsed(body: string): { readonly json: unknown } {
  try {
    return { json: JSON.parse(body) };
  } catch {
    return { json: undefined };
  }
}
