import { fileURLToPath } from "node:url";
import { systemClock } from "@slipway/core";
import { spawnProcess } from "./spawn-process.ts";
import type { Prompter, TextSink, World } from "./world.ts";

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
