import { lstatSync, mkdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { World } from "./world.ts";

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
