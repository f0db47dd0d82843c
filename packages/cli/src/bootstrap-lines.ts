import { type Clock, canLog, type Provider } from "@slipway/core";
import type { Session as Inside } from "@slipway/reach";
import { CliError } from "./cli-error.ts";
import type { WayIn } from "./way-in.ts";

/** Where the lines of an instance's bootstrap are read: from the first, and on with what is yet to come. */
export type LineSource = (options: { readonly signal: AbortSignal; readonly follow: boolean }) => AsyncIterable<string>;

const AGAIN_MS = 1000;
const CHUNK_BYTES = 256 * 1024;
const LONGEST_LINE = 64 * 1024;
// As control does: what was printed before the end is there by then.
const LAST_LOOK_MS = 10_000;

/** The provider's logs, or the bootstrap's log on the instance; null where there is no way to either. */
export function linesOf(provider: Provider, id: string, way: WayIn, clock: Clock): LineSource | null {
  if (canLog(provider)) return (options) => provider.logs(id, options);
  return way.exists ? (options) => insideLines(way, clock, options) : null;
}

/**
 * Shows the lines while `work` goes on, and what is left of them after it. Lines that cannot be read are left out: they
 * are no reason for `work` to fail.
 */
export async function showingLines<T>(
  lines: LineSource | null,
  clock: Clock,
  show: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  if (lines === null) return await work();
  const stop = new AbortController();
  let shown = 0;
  const take = async (signal: AbortSignal, follow: boolean): Promise<void> => {
    let at = 0;
    for await (const line of lines({ signal, follow })) {
      at += 1;
      if (at <= shown) continue;
      shown = at;
      show(line);
    }
  };
  const following = (async () => {
    while (!stop.signal.aborted) {
      await take(stop.signal, true).catch(() => undefined);
      await clock.sleep(AGAIN_MS, stop.signal).catch(() => undefined);
    }
  })();
  try {
    return await work();
  } finally {
    stop.abort();
    await following;
    await take(AbortSignal.timeout(LAST_LOOK_MS), false).catch(() => undefined);
  }
}

// The log is readable by root alone, and the log-in user of a cloud's image is often another. One that is not there yet
// has no bytes.
const READ = [
  'if [ -r "$1" ]; then as=; elif sudo -n test -r "$1" 2>/dev/null; then as="sudo -n"; elif [ -e "$1" ]; then exit 77; else exit 0; fi',
  '$as tail -c "+$2" "$1" | head -c "$3" | base64',
].join("\n");
const UNREADABLE = 77;

async function* insideLines(
  way: WayIn,
  clock: Clock,
  { signal, follow }: { readonly signal: AbortSignal; readonly follow: boolean },
): AsyncGenerator<string> {
  const { BOOTSTRAP_LOG_PATH } = await import("@slipway/provider-kit/bootstrap");
  const inside = await way.open();
  const decoder = new TextDecoder();
  let rest = "";
  for (let at = 0; ; ) {
    const bytes = await readFrom(inside, BOOTSTRAP_LOG_PATH, at, signal);
    at += bytes.length;
    const pieces = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    yield* pieces;
    // A machine that never ends a line fills no memory.
    if (rest.length > LONGEST_LINE) {
      yield rest;
      rest = "";
    }
    if (bytes.length === CHUNK_BYTES) continue;
    if (!follow) break;
    await clock.sleep(AGAIN_MS, signal);
  }
  if (rest !== "") yield rest;
}

async function readFrom(inside: Inside, path: string, at: number, signal: AbortSignal): Promise<Buffer> {
  const argv = ["/bin/sh", "-c", READ, "sh", path, String(at + 1), String(CHUNK_BYTES)];
  const { exitCode, stdout } = await inside.exec(argv, { signal });
  if (exitCode === 0) return Buffer.from(stdout, "base64");
  throw new CliError(
    "UNSUPPORTED",
    exitCode === UNREADABLE
      ? `the user that this logs in as may not read ${path} on the instance, and has no sudo without a password`
      : `${path} on the instance cannot be read (exit code ${exitCode})`,
    "Log in as root, or look on the instance itself: it needs sh, tail, head and base64.",
  );
}
