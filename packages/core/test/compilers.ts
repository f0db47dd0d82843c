import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The compilers that users have; the workspace's own is the last. */
export const COMPILERS = [
  { version: "5.9.3", package: "typescript-5.9" },
  { version: "6.0.3", package: "typescript-6.0" },
  { version: "7.0.2", package: "typescript" },
] as const;
export type Compiler = (typeof COMPILERS)[number];

const require = createRequire(import.meta.url);

/** What a compiler prints for its arguments, and its exit code. */
export function runCompiler(
  compiler: Compiler,
  ...args: readonly string[]
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const bin = join(dirname(require.resolve(`${compiler.package}/package.json`)), "bin", "tsc");
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [bin, ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      // A compiler that could not be started at all has no exit code of its own.
      if (typeof exitCode === "number") resolve({ exitCode, output: stdout + stderr });
      else reject(error);
    });
  });
}
