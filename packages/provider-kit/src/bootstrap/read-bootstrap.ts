import { type BootstrapTruth, type CallOptions, type Instance, type LogMethods, ProviderError } from "@slipway/core";

/** What `readBootstrap` is made of: a `get` that says how the bootstrap went, and the log of the instance. */
export interface BootstrapReading {
  readonly provider: string;
  readonly get: (id: string, call: CallOptions) => Promise<Instance | null>;
  readonly logs: LogMethods["logs"];
}

const MOST_LINES = 20;
const MOST_CHARACTERS = 2000;

/** A provider's `readBootstrap`, where its `get` knows how the bootstrap went. Null where `get` does not say. */
export async function readBootstrap(
  { provider, get, logs }: BootstrapReading,
  id: string,
  call: CallOptions = {},
): Promise<BootstrapTruth | null> {
  const instance = await get(id, { signal: call.signal });
  if (instance === null) {
    throw new ProviderError("NOT_FOUND", {
      message: `${provider} has no instance ${JSON.stringify(id)}`,
      provider,
      operation: "readBootstrap",
      effect: "none",
    });
  }
  if (instance.bootstrap === undefined) return null;
  const lastLines = await tail(logs(id, { signal: call.signal })).catch((error: unknown) => {
    if (call.signal?.aborted === true) throw error;
    // How it ended is known all the same. An instance that has gone may have no log.
    return [];
  });
  return { ...instance.bootstrap, ...(lastLines.length === 0 ? {} : { lastLines }) };
}

/** The last lines of a log, short enough for a message and without control characters. */
async function tail(log: AsyncIterable<string>): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of log) {
    lines.push(line.replaceAll(/\p{Cc}/gu, " ").trimEnd());
    if (lines.length > MOST_LINES) lines.shift();
  }
  while (lines.join("\n").length > MOST_CHARACTERS && lines.length > 1) lines.shift();
  return lines.map((line) => line.slice(-MOST_CHARACTERS));
}
