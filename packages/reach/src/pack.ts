import { createReadStream } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import type { Headers, Pack } from "tar-stream";

/** What cannot be packed, in a sentence. */
export class PackError extends Error {
  override readonly name: string = "PackError";
}

/**
 * A tar.gz in pieces: of a directory its content, of a file that file under the name `file`. Links are packed as links,
 * except where `from` itself is one. Owners are left out, so that nobody's number means another user over there.
 */
export async function* pack(from: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const archive = await openArchive(from, false);
  try {
    const { isWorthwhile, pieces } = await sample(archive);
    yield* zipped(pieces, isWorthwhile ? 1 : 0, signal);
  } finally {
    // Whoever stops early leaves no open file.
    archive.destroy();
  }
}

/** What `packWithEnd` adds to a file, and how many of its last bytes have the end of a directory's content. */
export const END_NAME: string = "end";
export const END_BYTES: number = 64;

/**
 * The same for a stream whose reader must see that it is whole: behind a line `gzip` or `plain`, since compression of what
 * is compressed already costs time alone, and with its end. A file is followed by an empty one of the name `END_NAME`; of a
 * directory's content `word` stands within the last `END_BYTES` bytes, where no program that unpacks looks at it.
 */
export async function* packWithEnd(
  from: string,
  word: string | null,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const archive = await openArchive(from, word === null);
  try {
    const { isWorthwhile, pieces } = await sample(archive);
    yield Buffer.from(isWorthwhile ? "gzip\n" : "plain\n");
    yield* isWorthwhile ? zipped(pieces, 1, signal) : untilAborted(pieces, signal);
    if (word !== null) yield isWorthwhile ? emptyMember(word) : Buffer.from(word);
  } finally {
    archive.destroy();
  }
}

async function openArchive(from: string, withEnd: boolean): Promise<Pack> {
  const tar = await import("tar-stream");
  const archive = tar.pack();
  // What fails ends the loop over the archive.
  fill(archive, from, withEnd).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return archive;
}

async function* zipped(
  pieces: AsyncIterable<Uint8Array>,
  level: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level, chunkSize: PIECE_BYTES });
  const piping = pipeline(pieces, gzip, { signal });
  // Awaited below; a failure meanwhile ends the loop.
  piping.catch(() => undefined);
  for await (const piece of gzip) yield piece as Uint8Array;
  await piping;
}

async function* untilAborted(
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
  }
}

/** A gzip file of nothing whose name is the word. Behind another one it adds nothing to what comes out. */
function emptyMember(word: string): Buffer {
  const [hasName, unknownSystem] = [0x08, 0xff];
  const head = Buffer.from([0x1f, 0x8b, 8, hasName, 0, 0, 0, 0, 0, unknownSystem]);
  const [emptyBlock, checksumAndLength] = [Buffer.from([3, 0]), Buffer.alloc(8)];
  return Buffer.concat([head, Buffer.from(`${word}\0`), emptyBlock, checksumAndLength]);
}

export const SAMPLE_BYTES: number = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

/** A header of half a kilobyte is no write of its own. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield waiting.length === 1 ? chunk : Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** The whole, and what its beginning says: what is compressed already, as images, weights and archives are, stays as it is. */
async function sample(
  archive: Pack,
): Promise<{ readonly isWorthwhile: boolean; readonly pieces: AsyncGenerator<Uint8Array> }> {
  const chunks: AsyncIterator<Uint8Array> = archive[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  for (let bytes = 0; bytes < SAMPLE_BYTES; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    taken.push(next.value);
    bytes += next.value.length;
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield* taken;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  };
  return { isWorthwhile: isCompressible(Buffer.concat(taken)), pieces: inPieces(whole()) };
}

function isCompressible(beginning: Uint8Array): boolean {
  return gzipSync(beginning, { level: 1 }).length < 0.95 * beginning.length;
}

/** Of a file of more than `SAMPLE_BYTES`: would it be sent as it is? By its beginning; its position stays where it is. */
export async function isSentAsItIs(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
  return !isCompressible(buffer.subarray(0, bytesRead));
}

async function fill(archive: Pack, from: string, withEnd: boolean): Promise<void> {
  const found = await stat(from);
  const { size, mode, mtime } = found;
  if (found.isDirectory()) return await addContent(archive, from, "");
  if (!found.isFile()) throw new PackError(`${from} is neither a file nor a directory`);
  await addFile(archive, from, { name: "file", size, mode, mtime });
  if (withEnd) await add(archive, { name: END_NAME });
}

async function addContent(archive: Pack, directory: string, prefix: string): Promise<void> {
  const entries = (await readdir(directory)).sort();
  for await (const { entry, found } of readAhead(directory, entries)) {
    const path = join(directory, entry);
    const name = `${prefix}${entry}`;
    const { kind, mode, size, mtime } = found;
    if (kind === "directory") {
      await add(archive, { name: `${name}/`, type: "directory", mode, mtime });
      await addContent(archive, path, `${name}/`);
    } else if (kind === "link") {
      await add(archive, { name, type: "symlink", linkname: found.target, mtime });
    } else if (kind === "file") {
      await addFile(archive, path, { name, size, mode, mtime }, found.content);
    } else {
      throw new PackError(`${path} is neither a file, a directory nor a link`);
    }
  }
}

interface Found {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly mode: number;
  readonly size: number;
  readonly mtime: Date;
  readonly target?: string;
  readonly content?: Buffer;
}

// Many small files cost a wait each, which a busy machine makes long: so some are asked for at a time.
const READ_AHEAD = 32;

async function* readAhead(
  directory: string,
  entries: readonly string[],
): AsyncGenerator<{ readonly entry: string; readonly found: Found }> {
  const reading: Promise<Found>[] = [];
  for (const [at, entry] of entries.entries()) {
    for (const next of entries.slice(at + reading.length, at + READ_AHEAD)) {
      const found = look(join(directory, next));
      // It is awaited in its turn, unless an earlier one has failed.
      found.catch(() => undefined);
      reading.push(found);
    }
    const found = await reading.shift();
    if (found !== undefined) yield { entry, found };
  }
}

async function look(path: string): Promise<Found> {
  const stats = await lstat(path);
  const { mode, size, mtime } = stats;
  if (stats.isDirectory()) return { kind: "directory", mode, size, mtime };
  if (stats.isSymbolicLink()) return { kind: "link", mode, size, mtime, target: await readlink(path) };
  if (!stats.isFile()) return { kind: "other", mode, size, mtime };
  if (size > PIECE_BYTES) return { kind: "file", mode, size, mtime };
  return { kind: "file", mode, size, mtime, content: await readBeginning(path, size) };
}

/** Not more, since the file may have grown. */
async function readBeginning(path: string, size: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const content = Buffer.allocUnsafe(size);
    let length = 0;
    while (length < size) {
      const { bytesRead } = await file.read(content, length, size - length, length);
      if (bytesRead === 0) throw new PackError(`${path} became shorter while it was read`);
      length += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}

/** The size is part of the header, so a file that grows is cut, and one that shrinks is a failure. */
async function addFile(
  archive: Pack,
  path: string,
  header: Headers & { readonly size: number },
  content?: Buffer,
): Promise<void> {
  if (header.size === 0) return await add(archive, header);
  const permissions = { ...header, mode: (header.mode ?? 0o644) & 0o777 };
  if (content !== undefined) return await addBytes(archive, permissions, content);
  const source = createReadStream(path, { end: header.size - 1 });
  await pipeline(source, archive.entry(permissions));
}

function addBytes(archive: Pack, header: Headers, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry(header, content, (error) => (error ? reject(error) : resolve()));
  });
}

function add(archive: Pack, header: Headers): Promise<void> {
  const mode = header.mode === undefined ? {} : { mode: header.mode & 0o777 };
  return new Promise((resolve, reject) => {
    archive.entry({ ...header, ...mode }, (error) => (error ? reject(error) : resolve())).end();
  });
}
