import { stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { abortError, isProviderError, ProviderError } from "@slipway/core";
import type { JobHost } from "./job.ts";
import { PackError, pack } from "./pack.ts";
import { refusal } from "./refusal.ts";
import type { CopyOptions, SessionExecOptions, SessionResult } from "./session.ts";
import { UnpackError, unpack } from "./unpack.ts";

const PART_BYTES = 4 * 1024 * 1024;
const POLL_MS = 500;
const RECONNECT_MS = 60_000;
const MOST_BYTES = 16 * 2 ** 30;

// A path that begins with a dash is no option.
const OWN = 'umask 077; d="$HOME/.slipway-copies/$1"; shift; case "$1" in /*) p="$1" ;; *) p="./$1" ;; esac';
// Of a connection that was lost the first try may go on, and end with what had arrived: only a whole part counts.
const PUT = [
  'umask 077; d="$HOME/.slipway-copies/$1"; n="$d/new-$$"',
  'mkdir -p "$d" && cat >"$n" && [ "$(wc -c <"$n")" -eq "$3" ] && mv -f "$n" "$d/$2"',
].join("\n");
// In the order of their numbers, which have the same length.
const TAKE_IN_FILE = [
  `${OWN}; umask 022; mkdir -p "$d/whole" && cat "$d"/part-* | tar -xzof - -C "$d/whole" || exit 1`,
  'case "$p" in */) mkdir -p -- "$p" ;; esac',
  // A directory that is there takes the file in.
  'if [ -d "$p" ]; then p="$p/$2"; else mkdir -p -- "$(dirname -- "$p")"; fi',
  'mv -f -- "$d/whole/file" "$p"',
].join("\n");
const TAKE_IN = `${OWN}; umask 022; mkdir -p -- "$p" && cat "$d"/part-* | tar -xzof - -C "$p"`;
const HAND_OUT = [
  `${OWN}; mkdir -p "$d"`,
  'if [ -d "$p" ]; then kind=content; how=-czf; set -- "$p" .',
  // What a link leads to: the link itself would lead nowhere over here.
  'elif [ -f "$p" ]; then kind=file; how=-czhf; set -- "$(dirname -- "$p")" "./$(basename -- "$p")"',
  "else exit 44; fi",
  'LC_ALL=C tar "$how" "$d/archive" -C "$1" "$2" 2>"$d/said"; code=$?; cat "$d/said" >&2',
  // GNU tar ends with 1 where a file was written meanwhile, as a log is. The archive is whole all the same.
  'if [ "$code" -eq 1 ] && [ -s "$d/said" ] &&',
  '  ! grep -qv -e ": file changed as we read it$" -e ": File removed before we read it$" "$d/said"; then code=0; fi',
  '[ "$code" -eq 0 ] || exit "$code"',
  'echo "$kind"',
].join("\n");
const GET = `d="$HOME/.slipway-copies/$1"; tail -c "+$2" "$d/archive" | head -c ${PART_BYTES} | base64`;
const REMOVE = 'rm -rf "$HOME/.slipway-copies/$1"; rmdir "$HOME/.slipway-copies" 2>/dev/null || true';
const MISSING = 44;

/** Copies a file, or a directory's content, to the instance. */
export async function upload(host: JobHost, from: string, to: string, { signal }: CopyOptions = {}): Promise<void> {
  const copy = new Copy(host, "upload", signal);
  const isFile = await stat(from).then(
    (found) => found.isFile(),
    (cause: unknown) => {
      throw refusal("INVALID_SPEC", host.provider, "upload", `${from} cannot be read`, { cause });
    },
  );
  checkRemotePath(host, "upload", to);
  await copy.within(async () => {
    let number = 0;
    for await (const part of ahead(inParts(pack(from, "file", signal)))) {
      await copy.run(PUT, [`part-${String(number).padStart(8, "0")}`, String(part.length)], { stdin: part });
      number += 1;
    }
    if (isFile) await copy.run(TAKE_IN_FILE, [to, basename(from)]);
    else await copy.run(TAKE_IN, [to]);
  });
}

/** Copies a file, or a directory's content, from the instance. */
export async function download(host: JobHost, from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const { signal, maxBytes = MOST_BYTES } = options;
  const copy = new Copy(host, "download", signal);
  checkRemotePath(host, "download", from);
  await copy.within(async () => {
    const { stdout } = await copy.run(HAND_OUT, [from]);
    const as = stdout.trim() === "file" ? "file" : "content";
    const isDirectory = await stat(to).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const target = as === "file" && isDirectory ? join(to, posix.basename(from)) : to;
    await unpack(partsOf(copy, maxBytes), target, { as, maxBytes, signal });
  });
}

async function* partsOf(copy: Copy, maxBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const { stdout } = await copy.run(GET, [String(at + 1)]);
    const bytes = Buffer.from(stdout, "base64");
    if (bytes.length > PART_BYTES) throw new UnpackError("the machine sent more than it was asked for");
    at += bytes.length;
    if (at > maxBytes) throw new UnpackError(`the archive has more than ${maxBytes} bytes`);
    yield bytes;
    if (bytes.length < PART_BYTES) return;
  }
}

/** The next part is made while this one is sent. */
async function* ahead<T>(parts: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = parts.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = parts.next();
      // It is awaited above, or nobody wants it any more.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await parts.return(undefined);
  }
}

/** Pieces of any size as parts of one size. */
async function* inParts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < PART_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** One copy, and its directory on the instance, which goes away with it. */
class Copy {
  readonly #host: JobHost;
  readonly #operation: "upload" | "download";
  readonly #signal: AbortSignal | undefined;
  readonly #id = crypto.randomUUID();

  constructor(host: JobHost, operation: "upload" | "download", signal: AbortSignal | undefined) {
    this.#host = host;
    this.#operation = operation;
    this.#signal = signal;
  }

  async within(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.#framed(error);
    } finally {
      // What stays behind is small beside what failed, and goes with the instance.
      const options = { timeoutMs: RECONNECT_MS };
      await this.#host.exec(["/bin/sh", "-c", REMOVE, "sh", this.#id], options).catch(() => undefined);
    }
  }

  /** Each step may be repeated, so a lost connection is simply tried again. */
  async run(script: string, words: readonly string[], options: SessionExecOptions = {}): Promise<SessionResult> {
    const { clock, exec } = this.#host;
    const until = clock.now() + RECONNECT_MS;
    for (;;) {
      try {
        const argv = ["/bin/sh", "-c", script, "sh", this.#id, ...words];
        const result = await exec(argv, { ...options, signal: this.#signal });
        if (result.exitCode === 0) return result;
        throw this.#refused(result, words);
      } catch (error) {
        if (!isProviderError(error) || !error.retryable || clock.now() >= until) throw error;
      }
      await clock.sleep(POLL_MS, this.#signal);
    }
  }

  #refused({ exitCode, stderr }: SessionResult, words: readonly string[]): Error {
    const { provider, instanceId } = this.#host;
    if (exitCode === MISSING) {
      return refusal(
        "NOT_FOUND",
        provider,
        this.#operation,
        `${instanceId} has no file or directory ${words.join("")}`,
      );
    }
    const said = stderr
      .replaceAll(/[^\P{Cc}\n]/gu, " ")
      .trim()
      .slice(-300);
    return new ProviderError("INVALID_STATE", {
      message: `${instanceId} could not do its part of the copy (exit code ${exitCode}): ${said}`,
      provider,
      operation: this.#operation,
      effect: this.#operation === "upload" ? "unknown" : "none",
      hint: "The instance needs sh, tar, gzip, base64, head and tail, space in the home directory, and the right to write.",
    });
  }

  #framed(error: unknown): unknown {
    if (isProviderError(error)) return error;
    const { provider, instanceId } = this.#host;
    const isUpload = this.#operation === "upload";
    const effect = isUpload ? "unknown" : "none";
    if (this.#signal?.aborted === true)
      return abortError(this.#signal, { provider, operation: this.#operation, effect });
    const why = error instanceof Error ? error.message : String(error);
    const isOurs = error instanceof PackError || error instanceof UnpackError;
    const message = isUpload
      ? `it cannot be packed: ${why}`
      : `what ${instanceId} sent ${isOurs ? "is refused" : "cannot be unpacked"}: ${why}`;
    return refusal("INVALID_STATE", provider, this.#operation, message, { cause: error });
  }
}

function checkRemotePath({ provider }: JobHost, operation: string, path: string): void {
  if (path !== "" && !path.includes("\0")) return;
  throw refusal("INVALID_SPEC", provider, operation, "the path on the instance must not be empty or hold NUL");
}
