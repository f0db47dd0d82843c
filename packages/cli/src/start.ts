import { homedir } from "node:os";
import { compileCache } from "./compile-cache.ts";

/** What the program `slipway` runs: the command, with its code compiled once and kept. */
export async function start(): Promise<void> {
  const directory = compileCache({ env: process.env, uid: process.getuid?.() ?? null }, homedir());
  if (directory !== null) process.getBuiltinModule("node:module").enableCompileCache(directory);
  const { main } = await import("./main.ts");
  await main();
}
