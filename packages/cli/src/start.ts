import { homedir } from "node:os";
import { compileCache } from "./compile-cache.ts";

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
