import { spawnSync } from "node:child_process";

/** Runs a program to its end and gives what it wrote; a failure carries all of it. */
export function run(file, args, { cwd, env = {}, expect = 0, timeoutMs = 180_000 } = {}) {
  const result = spawnSync(file, args, { cwd, encoding: "utf8", env: { ...process.env, ...env }, timeout: timeoutMs });
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`;
  if (result.error) throw new Error(`${file}: ${result.error.message}\n${output}`);
  if (expect !== null && result.status !== expect) {
    throw new Error(`${[file, ...args].join(" ")} ended with ${result.status ?? result.signal}\n${output}`);
  }
  return { output, stdout: result.stdout, stderr: result.stderr, status: result.status };
}
