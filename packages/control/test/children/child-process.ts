import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly process: ChildProcess;
  /** Resolves with the next line that the child prints; rejects if it ends before. */
  readonly nextLine: () => Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly output: string }>;
  readonly send: (line: string) => void;
}

/** Starts a program of this folder from its source, with the Node that runs the tests. */
export function startChild(program: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const argv = ["--conditions=@slipway/source", "--no-warnings", path, ...args];
  const env = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"], env });
  let output = "";
  let unread = "";
  let wake = (): void => undefined;
  let over = false;
  // A child that was killed closes its end.
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    unread += chunk;
    wake();
  });
  const ended = new Promise<{ code: number | null; signal: string | null; output: string }>((resolve) => {
    child.on("close", (code, signal) => {
      over = true;
      wake();
      resolve({ code, signal, output });
    });
  });
  return {
    process: child,
    ended,
    send: (line) => child.stdin.write(`${line}\n`),
    nextLine: async () => {
      while (!unread.includes("\n")) {
        if (over) throw new Error(`${program} ended: ${output}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const [line = "", ...rest] = unread.split("\n");
      unread = rest.join("\n");
      return line;
    },
  };
}
