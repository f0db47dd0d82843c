import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Copy, checkRemotePath, OWN, PART_BYTES, PLACE } from "./copy.ts";
import type { JobHost } from "./job.ts";
import { END_BYTES, END_NAME, isSentAsItIs, pack, packWithEnd, SAMPLE_BYTES } from "./pack.ts";
import { refusal } from "./refusal.ts";
import type { CopyOptions } from "./session.ts";

// Where one stream can be sent, one command does all: a command costs a way there and back, and a log-in shell. The input
// of a client that was killed ends as any other, so the stream's own end must be there before the target is touched.
const RECEIVE = [
  `${OWN}; s="$d/sent-$$"; mkdir -p "$s" && IFS= read -r how || exit 1`,
  'case "$how" in gzip) how=-xzof ;; *) how=-xof ;; esac; umask 022',
].join("\n");
const REMOVE_OWN = 'rm -rf "$d"; exit 0';
const INCOMPLETE = 'echo "the stream was cut short" >&2; exit 1';
// Of a connection that was lost the first try may go on, and end with what had arrived: only a whole part counts.
const PUT = [
  `umask 077; ${PLACE}; n="$d/new-$$"`,
  'mkdir -p "$d" && cat >"$n" && [ "$(wc -c <"$n")" -eq "$3" ] && mv -f "$n" "$d/$2"',
].join("\n");
// In the order of their numbers, which have the same length. Beside a try whose answer was lost, which may go on.
const ARRIVED = `umask 022; s="$d/sent-$$"; mkdir -p "$s" && cat "$d"/part-* | tar -xzof - -C "$s" || exit 1`;
// By `cd` and not by `-C`, in which GNU tar reads backslashes.
const TAKE_IN = `${OWN}; umask 022; mkdir -p -- "$p" && cat "$d"/part-* | { cd -- "$p" && tar -xzof -; }`;
const TAKE_FILE = [
  'case "$p" in */) mkdir -p -- "$p" ;; esac',
  // A directory that is there takes the file in.
  'if [ -d "$p" ]; then p="$p/$2"; else mkdir -p -- "$(dirname -- "$p")"; fi',
  // Where a directory has the file's name, it would go into that.
  'if [ -d "$p" ]; then echo "$p is a directory" >&2; exit 1; fi',
  'mv -f -- "$s/file" "$p"',
].join("\n");
const RECEIVE_FILE = [
  ...[RECEIVE, `tar "$how" - -C "$s" || exit`, `[ -e "$s/${END_NAME}" ] || { ${INCOMPLETE}; }`],
  ...[`{ ${TAKE_FILE}`, "} || exit", REMOVE_OWN],
].join("\n");
const RECEIVE_CONTENT = [
  ...[RECEIVE, '(umask 077; exec cat >"$d/archive") || exit'],
  `tail -c ${END_BYTES} "$d/archive" | grep -q -e "$2" || { ${INCOMPLETE}; }`,
  ...['mkdir -p -- "$p" && (cd -- "$p" && tar "$how" "$d/archive") || exit', REMOVE_OWN],
].join("\n");

// No archive, so what the archive would say stands in the words.
const RECEIVE_WHOLE = [
  ...[OWN, 's="$d/sent-$$"; mkdir -p "$s" && (umask 077; exec cat >"$s/file") || exit'],
  // A file that grew meanwhile is as it was at its end.
  `[ "$(wc -c <"$s/file")" -ge "$3" ] || { ${INCOMPLETE}; }`,
  // As tar does: only root takes a mode as it is.
  'umask 022; mode="$4"; [ "$(id -u)" -eq 0 ] || mode="$(printf %o "$((0$mode & ~022))")"',
  'chmod "$mode" "$s/file" && TZ=UTC0 touch -t "$5" "$s/file" || exit',
  ...[`{ ${TAKE_FILE}`, "} || exit", REMOVE_OWN],
].join("\n");

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
    if (await sendInOne(copy, host, from, to, isFile, signal)) return;
    await sendInParts(copy, from, signal);
    if (isFile) await copy.run(`${OWN}; ${ARRIVED}\n${TAKE_FILE}`, [to, basename(from)]);
    else await copy.run(TAKE_IN, [to]);
  });
}

/** False: this session cannot, or the connection was lost while it did. */
async function sendInOne(
  copy: Copy,
  { send, sendFile }: JobHost,
  from: string,
  to: string,
  isFile: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (send === undefined) return false;
  if (isFile && sendFile !== undefined) {
    await using file = await open(from);
    const { size, mode, mtime } = await file.stat();
    if (size > SAMPLE_BYTES && (await isSentAsItIs(file))) {
      const words = [to, basename(from), String(size), (mode & 0o777).toString(8), stampOf(mtime)];
      return await copy.send(RECEIVE_WHOLE, words, async (argv) => {
        // One of its own for each try, which begins at its beginning.
        await using beginning = await open(from);
        return await sendFile(argv, beginning, signal);
      });
    }
  }
  const [script, word] = isFile ? [RECEIVE_FILE, basename(from)] : [RECEIVE_CONTENT, crypto.randomUUID()];
  return await copy.send(script, [to, word], (argv) =>
    send(argv, packWithEnd(from, isFile ? null : word, signal), signal),
  );
}

/** As `touch -t` takes it: CCYYMMDDhhmm.SS. */
function stampOf(time: Date): string {
  const digits = time.toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(0, 12)}.${digits.slice(12, 14)}`;
}

/** Over an exec that takes no stream, and where a connection was lost: only the part that was on its way is sent again. */
async function sendInParts(copy: Copy, from: string, signal: AbortSignal | undefined): Promise<void> {
  let number = 0;
  for await (const part of ahead(inParts(pack(from, signal)))) {
    await copy.run(PUT, [`part-${String(number).padStart(8, "0")}`, String(part.length)], { stdin: part });
    number += 1;
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
