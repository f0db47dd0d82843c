import { lstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { World } from "./world.ts";

/** What the program `slipway` runs: the command, with its code compiled once and kept. */
export async function start(): Promise<void> {
  const directory = cacheDirectory();
  if (directory !== null) process.getBuiltinModule("node:module").enableCompileCache(directory);
  const { main } = await import("./main.ts");
  await main();
}

function cacheDirectory(): string | null {
  try {
    return compileCache({ env: process.env, uid: process.getuid?.() ?? null }, homedir());
  } catch {
    // Without HOME, of a user whom the machine does not know, as in some containers: `homedir` throws.
    return null;
  }
}

/**
 * Where compiled code is kept between two runs; null where there is no safe place. What lies there is run, so only
 * directories are used that are this user's, and that nobody else can write to.
 */
export function compileCache({ env, uid }: Pick<World, "env" | "uid">, home: string): string | null {
  const { XDG_CACHE_HOME: given = "" } = env;
  const directory = join(isAbsolute(given) ? given : join(home, ".cache"), "slipway", "compiled");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return [dirname(directory), directory].every((each) => isOwn(each, uid)) ? directory : null;
  } catch {
    return null;
  }
}

function isOwn(directory: string, own: number | null): boolean {
  const { mode, uid } = lstatSync(directory);
  return uid === own && (mode & 0o022) === 0;
}
