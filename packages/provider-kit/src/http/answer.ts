/** One HTTP answer, read whole and within bounds. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as text; empty if there was none. */
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
  /** Why the body is not JSON, for a person. */
  readonly notJson?: string | undefined;
  /** The remote's own id of the request, if it sent one. */
  readonly requestId?: string | undefined;
}

/** The body could not be read to its end, or is larger than allowed. */
export class UnreadableBody extends Error {
  override readonly name: string = "UnreadableBody";
}

const REQUEST_ID_HEADERS = ["x-request-id", "x-amzn-requestid", "request-id", "cf-ray"];

/** Reads a response to its end, but never more than `maxBytes`. Throws UnreadableBody, or what the connection throws. */
export async function readAnswer(response: Response, maxBytes: number): Promise<HttpAnswer> {
  const bytes = await readBounded(response, maxBytes);
  const { text, fault } = decoded(bytes, response.headers.get("content-type") ?? "");
  const requestId = REQUEST_ID_HEADERS.map((name) => response.headers.get(name)).find((id) => id !== null);
  const parsed = fault === undefined ? parsedJson(text) : { json: undefined, notJson: fault };
  return { status: response.status, headers: response.headers, text, ...parsed, requestId: requestId ?? undefined };
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      // Nobody waits for the rest; a failure to stop it changes nothing.
      reader.cancel().catch(() => undefined);
      throw new UnreadableBody(`the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks, size);
}

function decoded(bytes: Uint8Array, contentType: string): { readonly text: string; readonly fault?: string } {
  const charset = /charset="?([^\s;"]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return { text: new TextDecoder(charset, { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder().decode(bytes), fault: `it is not ${charset}` };
  }
}

function parsedJson(text: string): Pick<HttpAnswer, "json" | "notJson"> {
  if (text === "") return { json: undefined, notJson: "it is empty" };
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { json: undefined, notJson: /^\s*<(!doctype|html)/i.test(text) ? "it is an HTML page" : "it is not JSON" };
  }
}
