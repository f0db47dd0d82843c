import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const VERSION = "1.7.12";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "x64", arm64: "arm64" };

/** The package of npm that holds the server for this machine. It has 216 MB, so no installation of this repository has it. */
export const serverPackage: string = `@restatedev/restate-server-linux-${ARCHITECTURES[process.arch] ?? process.arch}`;
export const serverVersion: string = VERSION;

/** Where the stage installs it: outside the repository, so that a clean clone finds it again. */
export const serverFolder: string = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "slipway-engines",
  `restate-${VERSION}`,
);

const program = join(serverFolder, "node_modules", serverPackage, "bin", "restate-server");

/** The server's program, or undefined where the stage has not installed it. */
export function serverProgram(): string | undefined {
  return existsSync(program) ? program : undefined;
}
