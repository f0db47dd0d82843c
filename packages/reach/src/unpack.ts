import { createWriteStream } from "node:fs";
import { copyFile, lstat, mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Entry } from "tar-stream";

/** What an archive from a machine wants and must not have, in a sentence. */
export class UnpackError extends Error {
  override readonly name: string = "UnpackError";
}

export interface UnpackOptions {
  /** `content`: a directory's content into the directory `to`. `file`: the one file of the archive becomes `to`. */
  readonly as: "content" | "file";
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

const HEADER_BYTES = 512;

/**
 * Unpacks a tar.gz that a machine sent, which may hold anything. Nothing is written outside of `to`, or through a link:
 * names with `..`, absolute names, links that lead out, and devices are refused. Bits beyond read, write and execute are
 * left out, and so are owners.
 */
export async function unpack(archive: AsyncIterable<Uint8Array>, to: string, options: UnpackOptions): Promise<void> {
  const tar = await import("tar-stream");
  const extract = tar.extract();
  const piping = pipeline(Readable.from(archive), createGunzip(), extract, { signal: options.signal });
  // Awaited below; a failure meanwhile ends the loop.
  piping.catch(() => undefined);
  const target = new UnpackTarget(to, options);
  try {
    for await (const entry of extract) {
      await target.take(entry);
      entry.resume();
    }
    await piping;
  } catch (error) {
    extract.destroy();
    // Where the source failed, that is why the loop ended.
    throw await piping.then(
      () => error,
      (why: unknown) => (error instanceof UnpackError ? error : why),
    );
  }
  await target.finish();
}

class UnpackTarget {
  readonly #root: string;
  readonly #options: UnpackOptions;
  readonly #written: Set<string> = new Set();
  /** Made at the end, so that nothing of this archive is written through one. */
  readonly #links: { readonly name: string; readonly target: string }[] = [];
  #bytes = 0;

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
  }

  async take(entry: Entry): Promise<void> {
    const { name, type = "file", size = 0, linkname, mode } = entry.header;
    this.#count(HEADER_BYTES + size);
    if (this.#options.as === "file") return await this.#takeOnly(entry);
    const inside = insideName(name);
    if (type === "directory") return await this.#makeDirectory(inside);
    if (inside === "") throw new UnpackError(`the archive has a ${type} without a name`);
    await this.#makeDirectory(posix.dirname(inside));
    const path = join(this.#root, inside);
    if (type === "file" || type === "contiguous-file") {
      await this.#write(entry, path, mode);
      this.#written.add(inside);
    } else if (type === "symlink") {
      this.#links.push({ name: inside, target: confined(inside, linkname) });
    } else if (type === "link") {
      const source = insideName(linkname ?? "");
      if (!this.#written.has(source)) throw new UnpackError(`${name} is a link to what the archive does not hold`);
      // Of no size in the archive, and a whole copy here.
      this.#count((await lstat(join(this.#root, source))).size);
      await removeUnlessDirectory(path);
      await copyFile(join(this.#root, source), path);
      this.#written.add(inside);
    } else {
      throw new UnpackError(`${name} is a ${type}`);
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.maxBytes) return;
    throw new UnpackError(`the archive holds more than ${this.#options.maxBytes} bytes`);
  }

  async finish(): Promise<void> {
    if (this.#options.as === "file" && this.#written.size === 0) throw new UnpackError("the archive holds no file");
    if (this.#options.as === "content") await this.#makeDirectory("");
    for (const { name, target } of this.#links) {
      const path = join(this.#root, name);
      await this.#makeDirectory(posix.dirname(name));
      await removeUnlessDirectory(path);
      await symlink(target, path);
    }
  }

  async #takeOnly(entry: Entry): Promise<void> {
    const { type, mode } = entry.header;
    if (type !== "file" || this.#written.size > 0) throw new UnpackError("the archive holds more than one file");
    await mkdir(dirname(this.#root), { recursive: true });
    await this.#write(entry, this.#root, mode);
    this.#written.add("");
  }

  /** A link in the way is replaced, never followed. */
  async #write(entry: Entry, path: string, mode = 0o644): Promise<void> {
    await removeUnlessDirectory(path);
    await pipeline(entry, createWriteStream(path, { flags: "wx", mode: mode & 0o777 }), {
      signal: this.#options.signal,
    });
  }

  /** Each part must be a directory itself: a link would lead out. The root may be one, since its name is the caller's. */
  async #makeDirectory(inside: string): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    let path = this.#root;
    for (const part of inside.split("/")) {
      if (part === "" || part === ".") continue;
      path = join(path, part);
      const there = await lstat(path).catch(() => null);
      if (there === null) await mkdir(path);
      else if (!there.isDirectory()) throw new UnpackError(`${path} is there and is no directory`);
    }
  }
}

async function removeUnlessDirectory(path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (there?.isDirectory() === true) throw new UnpackError(`${path} is there and is a directory`);
  await rm(path, { force: true });
}

/** The name without `.`, empty for the root. Throws for one that leads out of it. */
function insideName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  // A backslash and a colon lead out on Windows.
  const leadsOut = name.startsWith("/") || parts.includes("..") || /[\0\\]|^[A-Za-z]:/.test(name);
  if (leadsOut) throw new UnpackError(`the archive holds the name ${JSON.stringify(name)}, which leads out of it`);
  return parts.join("/");
}

/** A link's target as it is, if it stays below the root. */
function confined(name: string, target: string | null | undefined): string {
  const resolved = posix.normalize(posix.join(posix.dirname(name), target ?? ""));
  const leadsOut = posix.isAbsolute(target ?? "/") || resolved === ".." || resolved.startsWith("../");
  // Behind another link `..` is not the directory that the name shows.
  const parts = (target ?? "").split("/").filter((part) => part !== "" && part !== ".");
  const turnsBack = parts.some((part, at) => part === ".." && at > 0 && parts[at - 1] !== "..");
  if (leadsOut || turnsBack || /[\0\\]/.test(target ?? "")) {
    throw new UnpackError(`${name} is a link to ${JSON.stringify(target ?? "")}, which leads out of the archive`);
  }
  return target ?? "";
}
