import type { Clock } from "@slipway/core";

/** A request as the SDK hands it to its HTTP side, signed. */
export interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** How far one request to AWS has come: what its failure means depends on it. */
export interface Exchange {
  /** Has it left this machine? */
  sent: boolean;
  readonly onSent?: () => void;
  status?: number;
  requestId?: string;
}

/** A 2xx answer that is not what the called service writes. `isService`: something of the service's kind was written. */
export class UnusableAnswer extends Error {
  override readonly name: string = "UnusableAnswer";
  readonly isService: boolean;

  constructor(message: string, isService: boolean) {
    super(message);
    this.isService = isService;
  }
}

/** The connection broke while an answer was being read: what it would have said is not known. */
export class BrokenAnswer extends Error {
  override readonly name: string = "BrokenAnswer";
}

/** What the SDK wants of its HTTP side, as little of it as it uses. */
export interface FetchHandler {
  readonly handle: (
    request: SignedRequest,
    options?: { readonly abortSignal?: unknown },
  ) => Promise<{
    readonly response: {
      readonly statusCode: number;
      readonly headers: Record<string, string>;
      readonly body: Uint8Array;
    };
  }>;
  readonly metadata: { readonly handlerProtocol: string };
  readonly destroy: () => void;
  readonly updateHttpClientConfig: () => void;
  readonly httpHandlerConfigs: () => Record<string, never>;
}

export interface FetchHandlerOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Gets each answer's `Date`. */
  readonly onDate?: ((headers: Headers, sentAt: number) => void) | undefined;
  readonly clock: Clock;
  /** Where the progress of the request with this signal is written down. */
  readonly exchangeOf: (signal: unknown) => Exchange | undefined;
}

const MOST_BYTES = 64 * 1024 * 1024;
// fetch writes both itself, from the address and the body.
const OWN_HEADERS: ReadonlySet<string> = new Set(["host", "content-length"]);

/**
 * The SDK's HTTP side over the runtime's `fetch`. It reads an answer whole and hands on only what its service can have
 * written: the SDK makes an empty listing of any page with status 200.
 */
export function fetchHandler({ fetch, exchangeOf, onDate, clock }: FetchHandlerOptions): FetchHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    handle: async (request, { abortSignal } = {}) => {
      const exchange = exchangeOf(abortSignal);
      const init = initOf(request, abortSignal instanceof AbortSignal ? abortSignal : undefined);
      if (exchange !== undefined) {
        exchange.sent = true;
        exchange.onSent?.();
      }
      const sentAt = clock.now();
      const response = await fetch(urlOf(request), init);
      onDate?.(response.headers, sentAt);
      const headers = Object.fromEntries(response.headers);
      if (exchange !== undefined) {
        exchange.status = response.status;
        const requestId = headers["x-amzn-requestid"] ?? headers["x-amz-request-id"];
        if (requestId !== undefined) exchange.requestId = requestId;
      }
      const body = await readBounded(response).catch((cause: unknown) => {
        throw cause instanceof UnusableAnswer ? cause : new BrokenAnswer("the answer broke off", { cause });
      });
      if (response.status >= 200 && response.status < 300) checkSuccess(request, headers["content-type"] ?? "", body);
      return { response: { statusCode: response.status, headers, body } };
    },
  };
}

function initOf(request: SignedRequest, signal: AbortSignal | undefined): RequestInit {
  const headers = Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
  const { body } = request;
  return {
    method: request.method,
    headers,
    redirect: "manual",
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined || body === "" ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
  };
}

function urlOf({ protocol, hostname, port, path, query }: SignedRequest): string {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) url.searchParams.append(name, one);
  }
  return url.href;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(Buffer.concat(chunks, size));
    size += value.byteLength;
    if (size > MOST_BYTES) {
      // Nobody waits for the rest; a failure to stop it changes nothing.
      reader.cancel().catch(() => undefined);
      throw new UnusableAnswer(`the answer is larger than ${MOST_BYTES} bytes`, true);
    }
    chunks.push(value);
  }
}

/** EC2 and STS answer `<ActionResponse …>…</ActionResponse>`, the other services JSON. */
function checkSuccess(request: SignedRequest, contentType: string, body: Uint8Array): void {
  const { body: sent } = request;
  const text = new TextDecoder().decode(body).trim();
  const action = typeof sent === "string" && !sent.startsWith("{") ? new URLSearchParams(sent).get("Action") : null;
  if (action === null) {
    if (isJsonObject(text)) return;
    throw new UnusableAnswer("the answer is not JSON", contentType.includes("json"));
  }
  if (new RegExp(`^(<\\?xml[^>]*>\\s*)?<${action}Response[\\s>]`).test(text) && text.endsWith(`</${action}Response>`))
    return;
  throw new UnusableAnswer(`the answer is not a whole ${action}Response`, contentType.includes("xml"));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
