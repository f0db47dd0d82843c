import { type ChildProcess, spawn } from "node:child_process";

const UP = "the command's code is there";
const SLIPWAY = `const { main } = await import("slipway"); console.error(${JSON.stringify(UP)}); await main(process.argv.slice(1))`;
const SCRIPT = "echo out; sleep 0.2; exit 7";
/** A run that was told to end has a machine to terminate first. */
const PATIENCE_MS = 120_000;

export interface EndedRun {
  /** Its exit code, or the signal that ended it. */
  readonly end: string;
  /** Since its code was loaded. */
  readonly livedMs: number;
  readonly said: string;
}

/** A process of `slipway run`, and how it ended. */
export interface StartedRun {
  readonly child: ChildProcess;
  /** Resolves when its code is loaded. */
  readonly up: Promise<void>;
  readonly ended: Promise<EndedRun>;
}

export function startRun(cwd: string, env: Readonly<Record<string, string>>, words: readonly string[]): StartedRun {
  // The package is found from here; the command works where its config is.
  const program = `process.chdir(${JSON.stringify(cwd)}); ${SLIPWAY}`;
  const node = ["--conditions=@slipway/source", "--input-type=module", "-e", program, "--"];
  const child = spawn(process.execPath, [...node, "run", ...words, "--", "sh", "-c", SCRIPT], {
    cwd: import.meta.dirname,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let started = performance.now();
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
  }
  const up = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.stderr.once("data", () => {
      started = performance.now();
      resolve();
    });
  });
  const ended = new Promise<EndedRun>((resolve, reject) => {
    child.once("error", reject);
    // A master of its ssh holds the output open a while longer.
    child.once("exit", (code, signal) =>
      resolve({ end: String(signal ?? code), livedMs: performance.now() - started, said }),
    );
  });
  return { child, up, ended };
}

export async function endRun({ child, ended }: StartedRun, signal: "SIGKILL" | "SIGTERM"): Promise<EndedRun> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}
