import type { Clock } from "@slipway/core";

/** The text of a request, or the status that refuses it: 413 for one that is too long, 408 for one that takes too long. */
export async function boundedBody(
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
