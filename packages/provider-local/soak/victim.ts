import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./spawn-once.ts", import.meta.url));

/** A process that spawns, and what became of it. */
export interface Victim {
  readonly child: ChildProcess;
  /** Resolves when it is about to call `spawn`. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended: the last step that it told of, and how long it lived after `ready`. */
  readonly ended: Promise<{
    readonly step: string;
    readonly livedMs: number;
    readonly killed: boolean;
    readonly said: string;
  }>;
}

export function startVictim(stateDirectory: string, owner: string, key: string, failpoint: string): Victim {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", PROGRAM, stateDirectory, owner, key], {
    env: { ...process.env, SLIPWAY_LOCAL_FAILPOINT: failpoint },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let steps = "";
  let said = "";
  let begun = Number.NaN;
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
      if (!said.startsWith("ready")) return;
      if (Number.isNaN(begun)) begun = performance.now();
      resolve();
    });
    child.once("close", () => resolve());
  });
  child.stderr.on("data", (chunk: Buffer) => {
    steps += chunk.toString("utf8");
  });
  const ended = new Promise<Awaited<Victim["ended"]>>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (_code, signal) => {
      const passed = [...steps.matchAll(/^step (.+)$/gm)].map((match) => match[1] ?? "");
      const livedMs = performance.now() - begun;
      resolve({ step: passed.at(-1) ?? "before-intent", livedMs, killed: signal === "SIGKILL", said: said + steps });
    });
  });
  return { child, ready, ended };
}
