import { constants } from "node:fs";
import { access, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { isOwner } from "@slipway/core";
import { CliError, isSystemError, stateFailure } from "./cli-error.ts";
import { refuseOpenParent, refuseSharedState } from "./file-owner.ts";
import { ancestors, writeNewFile } from "./files.ts";
import type { World } from "./world.ts";

const RANDOM_BYTES = 8;

/** Where this machine remembers what it launched. One directory is one owner. */
export class StateDirectory {
  readonly path: string;

  readonly #uid: World["uid"];

  constructor({ env, uid }: Pick<World, "env" | "uid">) {
    this.path = join(stateHome(env), "slipway");
    this.#uid = uid;
  }

  get ownerFile(): string {
    return join(this.path, "owner");
  }

  /** Where the launch store keeps its intents and leases. */
  get launches(): string {
    return join(this.path, "launch");
  }

  /** One known_hosts file per instance: an address that a next instance gets must not look like an attack. */
  get knownHosts(): string {
    return join(this.path, "known_hosts");
  }

  /** When instances with a `--ttl` expire, as it was computed the first time. */
  get expiries(): string {
    return join(this.path, "expiry");
  }

  /** Makes the directory, or one below it. */
  async make(path: string = this.path): Promise<void> {
    try {
      await makePath(path);
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Throws where neither the directory nor, if it is not there yet, what it would be made in can be written to. */
  async checkWritable(): Promise<void> {
    for (const directory of ancestors(this.path)) {
      const there = await stat(directory).catch(() => null);
      if (there === null) continue;
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK).catch((error: unknown) => {
        throw this.failure(error);
      });
      return;
    }
  }

  /** Throws UNSAFE_STATE if another user can write to anything that launches are remembered in. */
  async checkTrust(): Promise<void> {
    await refuseOpenParent(dirname(this.path), this.#uid);
    for (const path of [this.path, this.ownerFile, this.launches, this.expiries, this.knownHosts]) {
      await refuseSharedState(path, this.#uid);
    }
  }

  /** Whose instances are launched from here: random, made once, the same for processes that start at the same moment. */
  async owner(): Promise<string> {
    await this.checkTrust();
    const known = await this.#readOwner();
    if (known !== null) return known;
    await this.make();
    await this.writeOnce(
      this.ownerFile,
      `cli-${process.getBuiltinModule("node:crypto").randomBytes(RANDOM_BYTES).toString("hex")}\n`,
    );
    return (await this.#readOwner()) ?? this.#corruptOwner("is gone again");
  }

  /** The owner, if one was made here already. */
  async knownOwner(): Promise<string | null> {
    await this.checkTrust();
    return this.#readOwner();
  }

  /** Writes a file that nobody may ever replace; one that is there, or comes at the same moment, stays as it is. */
  async writeOnce(path: string, text: string): Promise<void> {
    try {
      await writeNewFile(path, text);
    } catch (error) {
      throw this.failure(error);
    }
  }

  async #readOwner(): Promise<string | null> {
    const text = await readFile(this.ownerFile, "utf8").catch((error: unknown) => {
      if (isSystemError(error) && error.code === "ENOENT") return null;
      throw this.failure(error);
    });
    if (text === null) return null;
    const owner = text.trim();
    return isOwner(owner) ? owner : this.#corruptOwner("does not hold an owner");
  }

  // Never made anew: under another owner, what runs already would no longer be listed.
  #corruptOwner(what: string): never {
    throw new CliError(
      "CORRUPT_STATE",
      `${this.ownerFile} ${what}`,
      "Write the owner back into it (it is a label on everything that runs), or remove the file to begin with a new one.",
    );
  }

  failure(error: unknown): unknown {
    return isSystemError(error) ? stateFailure(error, this.path) : error;
  }
}

/** Not `recursive`: where no directory can be made at all, as in /proc, Node would try for ever. */
async function makePath(path: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
      if (!isSystemError(error) || error.code !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    });
  try {
    await make();
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT" || dirname(path) === path) throw error;
    await makePath(dirname(path));
    await make();
  }
}

function stateHome(env: World["env"]): string {
  const given = env["XDG_STATE_HOME"] ?? "";
  // The XDG rule: a relative path counts as not set.
  if (isAbsolute(given)) return given;
  const home = env["HOME"] ?? "";
  if (isAbsolute(home)) return join(home, ".local", "state");
  throw new CliError("STATE_UNUSABLE", "neither XDG_STATE_HOME nor HOME names a directory", "Set one of them.");
}
