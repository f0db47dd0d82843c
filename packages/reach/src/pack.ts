import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import type { Headers, Pack } from "tar-stream";

/** What cannot be packed, in a sentence. */
export class PackError extends Error {
  override readonly name: string = "PackError";
}

/**
 * A tar.gz in pieces: of a directory its content, of a file that file under `name`. Links are packed as links, except where
 * `from` itself is one. Owners are left out, so that nobody's number means another user over there.
 */
export async function* pack(from: string, name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const tar = await import("tar-stream");
  const archive = tar.pack();
  const filling = fill(archive, from, name).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    const [begun, rest] = await beginningOf(archive[Symbol.asyncIterator]());
    const zipped = createGzip({ level: isWorthwhile(begun) ? 1 : 0 });
    const piping = pipeline(rest, zipped, { signal });
    // Both are awaited below; a failure meanwhile ends the loop.
    piping.catch(() => undefined);
    for await (const piece of zipped) yield piece as Uint8Array;
    await piping;
    await filling;
  } finally {
    // Whoever stops early leaves no open file.
    archive.destroy();
  }
}

const SAMPLE_BYTES = 1024 * 1024;

/** The beginning, and the whole. */
async function beginningOf(
  pieces: AsyncIterator<Uint8Array>,
): Promise<readonly [Uint8Array, AsyncGenerator<Uint8Array>]> {
  const taken: Uint8Array[] = [];
  for (let bytes = 0; bytes < SAMPLE_BYTES; ) {
    const next = await pieces.next();
    if (next.done === true) break;
    taken.push(next.value);
    bytes += next.value.length;
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield* taken;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  };
  return [Buffer.concat(taken), whole()];
}

/** What is compressed already, as images, weights and archives are, costs time alone. */
function isWorthwhile(sample: Uint8Array): boolean {
  return gzipSync(sample, { level: 1 }).length < 0.95 * sample.length;
}

async function fill(archive: Pack, from: string, name: string): Promise<void> {
  const found = await stat(from);
  if (found.isDirectory()) await addContent(archive, from, "");
  else if (found.isFile())
    await addFile(archive, from, { name, size: found.size, mode: found.mode, mtime: found.mtime });
  else throw new PackError(`${from} is neither a file nor a directory`);
}

async function addContent(archive: Pack, directory: string, prefix: string): Promise<void> {
  for (const entry of (await readdir(directory)).sort()) {
    const path = join(directory, entry);
    const { mode, size, mtime, ...found } = await detailsOf(path);
    const name = `${prefix}${entry}`;
    if (found.kind === "directory") {
      await add(archive, { name: `${name}/`, type: "directory", mode, mtime });
      await addContent(archive, path, `${name}/`);
    } else if (found.kind === "link") {
      await add(archive, { name, type: "symlink", linkname: await readlink(path), mtime });
    } else if (found.kind === "file") {
      await addFile(archive, path, { name, size, mode, mtime });
    } else {
      throw new PackError(`${path} is neither a file, a directory nor a link`);
    }
  }
}

async function detailsOf(path: string): Promise<{
  readonly kind: "file" | "directory" | "link" | "other";
  readonly mode: number;
  readonly size: number;
  readonly mtime: Date;
}> {
  const { mode, size, mtime, ...found } = await lstat(path).then((stats) => ({
    mode: stats.mode,
    size: stats.size,
    mtime: stats.mtime,
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    isLink: stats.isSymbolicLink(),
  }));
  const kind = found.isFile ? "file" : found.isDirectory ? "directory" : found.isLink ? "link" : "other";
  return { kind, mode, size, mtime };
}

/** The size is part of the header, so a file that grows is cut, and one that shrinks is a failure. */
async function addFile(archive: Pack, path: string, header: Headers & { readonly size: number }): Promise<void> {
  if (header.size === 0) return await add(archive, header);
  const entry = archive.entry({ ...header, mode: (header.mode ?? 0o644) & 0o777 });
  await pipeline(createReadStream(path, { end: header.size - 1 }), entry);
}

function add(archive: Pack, header: Headers): Promise<void> {
  const mode = header.mode === undefined ? {} : { mode: header.mode & 0o777 };
  return new Promise((resolve, reject) => {
    archive.entry({ ...header, ...mode }, (error) => (error ? reject(error) : resolve())).end();
  });
}
