import { stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { abortError, isProviderError, ProviderError } from "@slipway/core";
import type { JobHost } from "./job.ts";
import { PackError } from "./pack.ts";
import { refusal } from "./refusal.ts";
import type { CopyOptions, SessionExecOptions, SessionResult } from "./session.ts";
import { UnpackError, unpack } from "./unpack.ts";

export const PART_BYTES: number = 4 * 1024 * 1024;
const POLL_MS = 500;
const RECONNECT_MS = 60_000;
const MOST_BYTES = 16 * 2 ** 30;

// Directly in the home: a directory that copies share would be removed by one while another makes its own in it.
export const PLACE: string = 'd="$HOME/.slipway-copy-$1"';
// A path that begins with a dash is no option.
export const OWN: string = `umask 077; ${PLACE}; shift;  case "$1" in /*) p="$1" ;; *) p="./$1" ;; esac`;
const HAND_OUT = [
  `${OWN}; mkdir -p "$d"`,
  'if [ -d "$p" ]; then kind=content; how=-czf; set -- "$p" .',
  // What a link leads to: the link itself would lead nowhere over here.
  'elif [ -f "$p" ]; then kind=file; how=-czhf; set -- "$(dirname -- "$p")" "./$(basename -- "$p")"',
  "else exit 44; fi",
  // One of its own for each try: that of an answer that was lost may still be writing.
  'made="$d/made-$$"; said="$d/said-$$"',
  '(cd -- "$1" && LC_ALL=C exec tar "$how" "$made" "$2") 2>"$said"; code=$?; cat "$said" >&2',
  // GNU tar ends with 1 where a file was written meanwhile, as a log is. The archive is whole all the same.
  'if [ "$code" -eq 1 ] && [ -s "$said" ] &&',
  '  ! grep -qv -e ": file changed as we read it$" -e ": File removed before we read it$" "$said"; then code=0; fi',
  '[ "$code" -eq 0 ] || exit "$code"',
  // The first one that is whole is fetched, whichever says so.
  'if [ -e "$d/archive" ]; then rm -f "$made"; else mv "$made" "$d/archive"; fi',
  'echo "$kind"',
].join("\n");
const GET = `${PLACE}; tail -c "+$2" "$d/archive" | head -c ${PART_BYTES} | base64`;
const REMOVE = `for id do rm -rf "$HOME/.slipway-copy-$id"; done`;
const MISSING = 44;

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

/** One copy, and its directory on the instance, which goes away with it. */
export class Copy {
  readonly #host: JobHost;
  readonly #operation: "upload" | "download";
  readonly #signal: AbortSignal | undefined;
  #id = crypto.randomUUID();
  #isRemoved = false;
  /** Of a stream that was lost: its command may have gone on after its directory was removed. */
  #abandoned: string | null = null;
  /** A step of an upload was lost on its way: it may have been the one that wrote. */
  #mayHaveWritten = false;

  constructor(host: JobHost, operation: "upload" | "download", signal: AbortSignal | undefined) {
    this.#host = host;
    this.#operation = operation;
    this.#signal = signal;
  }

  async within(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const framed = this.#framed(error);
      throw this.#mayHaveWritten ? withUnknownEffect(framed) : framed;
    } finally {
      if (!this.#isRemoved) await this.#remove();
    }
  }

  async #remove(): Promise<void> {
    // What stays behind is small beside what failed, and goes with the instance.
    const options = { timeoutMs: RECONNECT_MS };
    const ids = [this.#id, ...(this.#abandoned === null ? [] : [this.#abandoned])];
    await this.#host.exec(["/bin/sh", "-c", REMOVE, "sh", ...ids], options).catch(() => undefined);
  }

  /** What goes on there must neither take what comes now for its own, nor remove it. */
  async #abandon(): Promise<void> {
    await this.run(REMOVE, []);
    this.#abandoned = this.#id;
    this.#id = crypto.randomUUID();
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
        this.#noteLost(error);
      }
      await clock.sleep(POLL_MS, this.#signal);
    }
  }

  /**
   * Runs a command by `send`, which hands it all that is copied. False: the connection was lost while it did. Where nothing
   * ran it is tried again, from the beginning. A command that succeeds has removed the copy's directory.
   */
  async send(
    script: string,
    words: readonly string[],
    send: (argv: readonly string[]) => Promise<SessionResult>,
  ): Promise<boolean> {
    const { clock } = this.#host;
    const until = clock.now() + RECONNECT_MS;
    for (;;) {
      try {
        const result = await send(["/bin/sh", "-c", script, "sh", this.#id, ...words]);
        if (result.exitCode !== 0) throw this.#refused(result, words);
        this.#isRemoved = true;
        return true;
      } catch (error) {
        if (!isProviderError(error) || !error.retryable) throw error;
        this.#noteLost(error);
        if (error.effect !== "none") {
          await this.#abandon();
          return false;
        }
        if (clock.now() >= until) throw error;
      }
      await clock.sleep(POLL_MS, this.#signal);
    }
  }

  #noteLost({ effect }: ProviderError): void {
    if (this.#operation === "upload" && effect !== "none") this.#mayHaveWritten = true;
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

/** The same failure, where an earlier step may have done its work. */
function withUnknownEffect(error: unknown): unknown {
  if (!isProviderError(error) || error.effect !== "none") return error;
  const { code, message, provider, operation, scope, retryAfterMs, exhausted, native, hint } = error;
  const details = { message, provider, operation, scope, retryAfterMs, exhausted, native, hint };
  return new ProviderError(code, { ...details, effect: "unknown", cause: error });
}

export function checkRemotePath({ provider }: JobHost, operation: string, path: string): void {
  if (path !== "" && !path.includes("\0")) return;
  throw refusal("INVALID_SPEC", provider, operation, "the path on the instance must not be empty or hold NUL");
}
