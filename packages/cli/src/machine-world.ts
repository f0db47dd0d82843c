import { fileURLToPath } from "node:url";
import { systemClock } from "@slipway/core";
import type { Prompter, SpawnProcess, TextSink, World } from "./world.ts";

/** The world as it is: this process, its streams and its machine. */
export function machineWorld(signal: AbortSignal): World {
  return {
    stdin: { isTTY: process.stdin.isTTY === true, read: readStdin },
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    env: process.env,
    clock: systemClock,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? null,
    // One folder up, from the source as from the bundle.
    installedAt: fileURLToPath(new URL("..", import.meta.url)),
    signal,
    // Signals are the process's own matter: `main` hands in how.
    handleInterrupts: () => () => undefined,
    loadModule: (specifier) => import(specifier) as Promise<unknown>,
    spawnProcess,
    prompter: terminalPrompter(signal),
    nodeVersion: process.versions.node,
  };
}

function sink(stream: NodeJS.WriteStream): TextSink {
  return {
    write: (text) => stream.write(text),
    isTTY: stream.isTTY === true,
    // Read anew each time: a window changes its width.
    get columns() {
      return stream.columns;
    },
  };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

const KILL_AFTER_MS = 3000;

const spawnProcess: SpawnProcess = async (file, args, signal) => {
  const [{ spawn }, { constants }] = await Promise.all([import("node:child_process"), import("node:os")]);
  return new Promise((resolve, reject) => {
    // It stays in the terminal's foreground group, without which it could not read what is typed.
    const child = spawn(file, args, { stdio: "inherit" });
    let killing: NodeJS.Timeout | undefined;
    const end = (): void => {
      child.kill("SIGTERM");
      killing = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    const over = (): void => {
      clearTimeout(killing);
      signal.removeEventListener("abort", end);
    };
    child.on("error", (error) => {
      over();
      reject(error);
    });
    child.on("exit", (code, by) => {
      over();
      resolve(code ?? 128 + (by === null ? 0 : constants.signals[by]));
    });
  });
};

function terminalPrompter(signal: AbortSignal): Prompter {
  const streams = { input: process.stdin, output: process.stderr, signal };
  return {
    async confirm(message) {
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message, initialValue: false, ...streams });
      return isCancel(answer) ? null : answer;
    },
    async text(message, initialValue) {
      const { text, isCancel } = await import("@clack/prompts");
      const answer = await text({ message, initialValue, ...streams });
      return isCancel(answer) ? null : answer;
    },
  };
}
