import { isProviderError, type LogOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { StreamQuery } from "../client.ts";
import type { Machine } from "../driver.ts";
import { MAIN_CONTAINER } from "../instance.ts";
import { statusOf } from "../statuses.ts";
import type { Inside } from "./exec.ts";

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
  // What was yielded of the last second. The server counts `sinceTime` in whole seconds, so exactly these lines come again.
  let known = new Map<string, number>();
  let unfinished = "";
  let hasBegun = false;
  try {
    for (;;) {
      const machine = await find(call);
      const { status: now } = statusOf(machine.pod);
      if (now === "pending" && !previous) throw notBegun(inside, call, machine);
      const query: StreamQuery = [
        ["container", MAIN_CONTAINER],
        ["timestamps", "true"],
        ...(follow ? [["follow", "true"] as const] : []),
        ...(previous ? [["previous", "true"] as const] : []),
        ...(last === "" && tailLines !== undefined ? [["tailLines", String(tailLines)] as const] : []),
        ...(last === "" ? [] : [["sinceTime", last] as const]),
      ];
      const body = await machine.client.log(call, machine.pod.metadata.name, query);
      hasBegun = true;
      unfinished = "";
      const goesOn = follow && now === "running";
      const again = new Map(known);
      try {
        for await (const line of linesOf(inside, call, body, (rest) => {
          unfinished = rest;
        })) {
          const times = again.get(line) ?? 0;
          if (times > 0) {
            again.set(line, times - 1);
            continue;
          }
          // Times may be equal, as one for all lines of a write, and out of order, as those of stdout and stderr.
          const [time, text] = split(line);
          if (secondOf(time) > secondOf(last)) known = new Map();
          if (time > last) last = time;
          if (time !== "" && secondOf(time) === secondOf(last)) known.set(line, (known.get(line) ?? 0) + 1);
          yield text;
        }
      } catch (error) {
        // Where the server is gone, the next read of the pod says so.
        if (!goesOn || !isProviderError(error, "NETWORK")) throw error;
      }
      if (!goesOn) break;
      await inside.clock.sleep(AGAIN_MS, signal);
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    // The pod was deleted while it was followed.
    if (!follow || !hasBegun || !isProviderError(error, "NOT_FOUND")) throw error;
  }
  if (unfinished !== "") yield split(unfinished)[1];
}

function notBegun({ refuse }: Inside, { operation }: Call, { pod }: Machine): Error {
  const { reason } = statusOf(pod);
  const why = reason === undefined ? "" : `: ${reason.message}`;
  return refuse("INVALID_STATE", operation, `the pod ${pod.metadata.name} has not begun to run${why}`);
}

/**
 * `2026-11-29T08:00:00.123456789Z text`, or with the offset of the node's own time zone. The time is answered in UTC and with
 * nanoseconds of one width, so that times compare as text.
 */
function split(line: string): readonly [time: string, text: string] {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) (.*)$/s.exec(line);
  if (found === null) return ["", line];
  const [, seconds = "", fraction = "", zone = "Z", text = ""] = found;
  const at = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(at)) return ["", line];
  return [`${secondOf(new Date(at).toISOString())}.${fraction.padEnd(9, "0")}Z`, text];
}

function secondOf(time: string): string {
  return time.slice(0, "2026-11-29T08:00:00".length);
}

async function* linesOf(
  { refuse }: Inside,
  { operation, signal }: Call,
  body: ReadableStream<Uint8Array>,
  onUnfinished: (rest: string) => void,
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
  onUnfinished(rest);
}
