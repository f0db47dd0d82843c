import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, type Instance, systemClock, timestamp } from "@slipway/core";
import { type LaunchIdentity, type LaunchRecord, launchId } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import type { BootstrapSource } from "../wait-for-bootstrap.ts";
import { judge, parseMessage, reportedIn, reportId, reportRecord, truthOf } from "./report-record.ts";
import { sealOf, type Ticket } from "./ticket.ts";

export interface BootstrapReportsOptions {
  /**
   * At least 32 characters that nobody else knows, the same in all processes that launch or take reports. Several: the first
   * signs, and all are taken, so that it can be changed while machines run.
   */
  readonly secret: string | readonly [string, ...string[]];
  /** The store of the launches. */
  readonly store: Store;
  /** As `launch` takes it. */
  readonly account?: string | undefined;
  /** For how long after its launch a machine may report, milliseconds; seven days if absent. */
  readonly lifeMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Takes the reports of machines, and is a source for `waitForBootstrap`. */
export interface BootstrapReports extends BootstrapSource {
  /**
   * Takes one report: mount it in any server, under the path of `controlPlaneUrl`. It answers every request, never rejects,
   * and writes nothing but the row of the launch that the token is for.
   */
  readonly handle: (request: Request) => Promise<Response>;
  /** The token with which a launch of this name reports; `launch` makes it by itself. */
  readonly token: (identity: LaunchIdentity, launch: string) => Promise<string>;
}

const LIFE_MS = 7 * 24 * 3_600_000;
const MOST_BYTES = 16 * 1024;
const BODY_MS = 10_000;

/**
 * What machines report of their bootstrap, kept in the store of the launches. A report is the machine's word: it is shown, and
 * it ends a wait for the bootstrap; it never changes, ends or adopts an instance.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { nodeListener } from "@slipway/control";
 *
 * const reports = bootstrapReports({ secret: "from your vault", store });
 * export const server = createServer(nodeListener(reports.handle));
 * ```
 */
export function bootstrapReports(options: BootstrapReportsOptions): BootstrapReports {
  const { store, account = "", lifeMs = LIFE_MS, clock = systemClock } = options;
  const seal = sealOf(options.secret);
  const rate = senderRate();

  const take = async (request: Request): Promise<Response> => {
    if (request.method !== "POST") return answer(405, { allow: "POST" });
    const ticket = await seal.open(bearer(request));
    if (ticket === null || ticket.until <= clock.now()) return answer(401);
    const id = reportId(ticket.identity);
    const waitMs = rate(`${id}\n${ticket.launch}`, clock.now());
    if (waitMs > 0) return answer(429, { "retry-after": `${Math.ceil(waitMs / 1000)}` });
    const body = await boundedBody(request, { mostBytes: MOST_BYTES, withinMs: BODY_MS, clock });
    if (typeof body === "number") return answer(body);
    const message = parseMessage(body);
    return message === null ? answer(400) : await keep(id, ticket, message);
  };

  const keep = async (id: string, ticket: Ticket, message: Parameters<typeof judge>[2]): Promise<Response> => {
    const lease = await store.acquire(id);
    if (lease === null) return answer(503, AGAIN);
    try {
      // Written before its machine was made: another one, or none, means that this machine is no longer the key's.
      const launched = await store.read(launchId(ticket.identity));
      if (launched?.kind !== "launch" || launched.reports !== ticket.launch) return answer(410);
      const before = reportedIn(await store.read(id));
      // What cannot be read is left as it is.
      if (before === undefined) return answer(503, AGAIN);
      const after = judge(before, ticket, message);
      if (typeof after === "number") return answer(after);
      await store.write(id, reportRecord(ticket, after, timestamp(clock)));
      return answer(204);
    } finally {
      await store.release(lease).catch(() => undefined);
    }
  };

  return {
    name: "the reports",
    handle: async (request) => {
      try {
        return await take(request);
      } catch (error) {
        // A machine learns nothing of the control plane's own faults; the reporter tries again.
        return answer(isStoreError(error) ? 503 : 500, AGAIN);
      }
    },
    token: async (identity, launch) => await seal.sign({ identity, launch, until: clock.now() + lifeMs }),
    readBootstrap: async (id, _call, instance) => {
      const launched = await launchOf(store, account, id, instance);
      if (launched?.instanceId !== id || launched.reports === undefined) return null;
      const reported = reportedIn(await store.read(reportId(launched.identity)));
      if (reported === undefined) return { state: "unknown" };
      // Of an earlier machine under the same key: this one has not begun.
      return reported?.launch === launched.reports ? truthOf(reported) : { state: "pending" };
    },
  };
}

/** By its key where the instance is known; else whatever launch recorded this id. */
async function launchOf(
  store: Store,
  account: string,
  id: string,
  instance: Instance | undefined,
): Promise<LaunchRecord | null> {
  if (instance !== undefined) {
    const { provider, owner, key } = instance;
    if (owner === null || key === null) return null;
    const record = await store.read(launchId({ provider, account, owner, key }));
    return record?.kind === "launch" ? record : null;
  }
  for await (const { record } of store.entries({ kind: "launch", account })) {
    if (record.kind === "launch" && record.instanceId === id) return record;
  }
  return null;
}

const AGAIN = { "retry-after": "1" };

function answer(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers: { ...headers, "cache-control": "no-store" } });
}

function bearer(request: Request): string {
  return /^Bearer ([^ ]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
}

/** The text of a request, or the status that refuses it: 413 for one that is too long, 408 for one that takes too long. */
async function boundedBody(
  request: Request,
  { mostBytes, withinMs, clock }: { readonly mostBytes: number; readonly withinMs: number; readonly clock: Clock },
): Promise<string | 408 | 413> {
  // What it says of itself is no proof, and a reason to read nothing at all.
  if (Number(request.headers.get("content-length") ?? 0) > mostBytes) return 413;
  if (request.body === null) return "";
  const reader = request.body.getReader();
  const done = new AbortController();
  const over = clock.sleep(withinMs, done.signal).then(
    () => 408 as const,
    () => 408 as const,
  );
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), over]);
      if (read === 408) return 408;
      if (read.done) return new TextDecoder().decode(Buffer.concat(chunks));
      length += read.value.byteLength;
      if (length > mostBytes) return 413;
      chunks.push(read.value);
    }
  } finally {
    done.abort();
    // Not waited for: whoever sends without an end does not hold this up.
    void reader.cancel().catch(() => undefined);
  }
}

const BURST = 20;
const EVERY_MS = 3000;
const MOST_KNOWN = 10_000;

/** How many milliseconds a sender must wait: 0 if it may go on. One that sends too much keeps nobody else waiting. */
type Rate = (sender: string, now: number) => number;

/** A burst, then one in three seconds, for each sender. Whoever was quiet longest is forgotten first. */
function senderRate(): Rate {
  const known = new Map<string, { readonly left: number; readonly at: number }>();
  return (sender, now) => {
    const { left, at } = known.get(sender) ?? { left: BURST, at: now };
    // A clock that is set back gives nothing, and takes nothing.
    const have = Math.min(BURST, left + Math.max(0, now - at) / EVERY_MS);
    known.delete(sender);
    known.set(sender, { left: have < 1 ? have : have - 1, at: now });
    if (known.size > MOST_KNOWN) {
      const [first] = known.keys();
      if (first !== undefined) known.delete(first);
    }
    return have < 1 ? Math.ceil((1 - have) * EVERY_MS) : 0;
  };
}

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
