import { isProviderError, type LogOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { StreamQuery } from "./client.ts";
import type { Machine } from "./driver.ts";
import type { Inside } from "./exec.ts";
import { MAIN_CONTAINER } from "./instance.ts";
import { statusOf } from "./statuses.ts";

/** As the contract's, and what only a container has. */
export interface KubernetesLogOptions extends LogOptions {
  /** Of the container that ran before the present one, where a controller has restarted it. */
  readonly previous?: boolean | undefined;
  /** Only so many of the last lines. */
  readonly tailLines?: number | undefined;
}

// A kubelet whose log file is gone says so with HTTP 200.
const GONE = "unable to retrieve container logs for ";
// A stream that ends while the pod runs is begun again, but not in a tight loop.
const AGAIN_MS = 1_000;

/**
 * What the container printed, line by line. Followed, it goes on over a connection that ends early, yields each line once,
 * and ends with the pod or quietly with the signal.
 */
export async function* logsOf(
  inside: Inside,
  find: (call: Call) => Promise<Machine>,
  { signal, follow = false, previous = false, tailLines }: KubernetesLogOptions = {},
): AsyncGenerator<string> {
  const call: Call = { operation: "logs", signal };
  let last = "";
  try {
    for (let isFirst = true; ; isFirst = false) {
      const machine = await find(call);
      const { status: now } = statusOf(machine.pod);
      if (now === "pending" && !previous) throw notBegun(inside, call, machine);
      const query: StreamQuery = [
        ["container", MAIN_CONTAINER],
        ["timestamps", "true"],
        ...(follow ? [["follow", "true"] as const] : []),
        ...(previous ? [["previous", "true"] as const] : []),
        ...(isFirst && tailLines !== undefined ? [["tailLines", String(tailLines)] as const] : []),
        ...(last === "" ? [] : [["sinceTime", last] as const]),
      ];
      const body = await machine.client.log(call, machine.pod.metadata.name, query);
      for await (const line of linesOf(inside, call, body)) {
        const [time, text] = split(line);
        // `sinceTime` has a resolution of a second, so that known lines come again.
        if (time !== "" && time <= last) continue;
        if (time !== "") last = time;
        yield text;
      }
      if (!follow || now !== "running") return;
      await inside.clock.sleep(AGAIN_MS, signal);
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    // The pod was deleted while it was followed.
    if (follow && last !== "" && isProviderError(error, "NOT_FOUND")) return;
    throw error;
  }
}

function notBegun({ refuse }: Inside, { operation }: Call, { pod }: Machine): Error {
  const { reason } = statusOf(pod);
  const why = reason === undefined ? "" : `: ${reason.message}`;
  return refuse("INVALID_STATE", operation, `the pod ${pod.metadata.name} has not begun to run${why}`);
}

/** `2026-11-29T08:00:00.123456789Z text`; nanoseconds are of one width, so that times compare as text. */
function split(line: string): readonly [time: string, text: string] {
  const found = /^(\d{4}-\d\d-\d\dT[\d:]+)(?:\.(\d+))?Z (.*)$/s.exec(line);
  if (found === null) return ["", line];
  const [, seconds = "", fraction = "", text = ""] = found;
  return [`${seconds}.${fraction.padEnd(9, "0")}Z`, text];
}

async function* linesOf(
  { refuse }: Inside,
  { operation, signal }: Call,
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (cause) {
    if (signal?.aborted === true || isProviderError(cause)) throw cause;
    throw refuse("NETWORK", operation, "the connection to the log broke", { cause });
  }
  if (rest.startsWith(GONE)) throw refuse("UNAVAILABLE", operation, rest.slice(0, 500));
  if (rest !== "") yield rest;
}
