import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a TypeScript module in a Node process of its own, below another program if one is given. */
export function runModule(
  module: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly below?: readonly string[] } = {},
): Promise<Ended> {
  const [file, ...rest] = [
    ...(options.below ?? []),
    ...[process.execPath, "--conditions=@slipway/source", `${ROOT}${module}`, ...args],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(file ?? "", rest, {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString("utf8")));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...said }));
  });
}
