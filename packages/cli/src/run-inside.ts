import { isProviderError } from "@slipway/core";
import type { Session as InstanceSession, Job } from "@slipway/reach";
import { CliError } from "./cli-error.ts";
import { inputPath } from "./files.ts";
import type { Session } from "./session.ts";
import type { Interrupt } from "./world.ts";

/** The files that go to a command and come from it. */
export interface RunFiles {
  readonly upload?: string;
  readonly download?: readonly string[];
}

interface InsideRun {
  readonly session: Session;
  readonly argv: readonly string[];
  readonly flags: RunFiles;
  readonly interrupts: RunInterrupts;
}

/** Where the command runs if files go there or come from there. */
const DIRECTORY = "slipway-run";

/** The same path is meant on both sides, below the directory of each. */
export function refuseOutside(paths: RunFiles["download"] = []): void {
  const path = paths.find((one) => one.startsWith("/") || one.startsWith("~/") || one.split("/").includes(".."));
  if (path === undefined) return;
  throw new CliError(
    "INVALID_ARGUMENT",
    `--download ${path} leads out of the directory that the command runs in`,
    "Give a path below it, or use slipway spawn and slipway cp.",
  );
}

/** The command as a job: it survives a lost connection, and nothing that it prints is lost or shown twice. */
export async function runInside(
  { session, argv, flags, interrupts }: InsideRun,
  inside: InstanceSession,
  signal: AbortSignal,
): Promise<number> {
  const { output, progress, world } = session;
  const { upload, download = [] } = flags;
  const cwd = upload === undefined && download.length === 0 ? undefined : DIRECTORY;
  if (cwd !== undefined) await inside.exec(["mkdir", "-p", cwd], { signal });
  if (upload !== undefined) {
    const from = inputPath(world, upload);
    progress.detail(`uploading ${upload}`);
    await inside.upload(from, cwd ?? ".", { signal });
  }
  const job = await inside.start(argv, { signal, cwd });
  interrupts.watch(job);
  progress.stop();
  for await (const { text } of job.follow({ signal })) {
    if (session.json) output.line({ type: "output", text });
    else output.raw(text);
  }
  const { exitCode } = await job.result({ signal });
  const failures: unknown[] = [];
  for (const path of download) {
    // The instance goes away after this: one that fails must not take the others with it.
    await bringBack(session, inside, path, signal).catch((error: unknown) => failures.push(error));
  }
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
  return exitCode;
}

/** A command that failed may have written nothing: its exit code says more than what is missing. */
async function bringBack(session: Session, inside: InstanceSession, path: string, signal: AbortSignal): Promise<void> {
  try {
    await inside.download(`${DIRECTORY}/${path}`, inputPath(session.world, path), { signal });
  } catch (error) {
    // That the instance itself is gone has the same code, and is the failure of another operation.
    if (!isProviderError(error, "NOT_FOUND") || error.operation !== "download") throw error;
    session.output.note(`The command wrote no ${path}: nothing was downloaded.`);
  }
}

/**
 * What Ctrl-C means while a command runs on an instance of its own: the first one ends the command, the second one
 * terminates the instance at once, the third one quits. Before the command began the first one terminates already, and a
 * signal from a program is taken for the second.
 */
export class RunInterrupts {
  readonly #session: Session;
  readonly #howToEnd: string;
  readonly #release: () => void;
  readonly #terminate = new AbortController();
  #job: Job | null = null;
  #presses = 0;

  constructor(session: Session, howToEnd: string) {
    this.#session = session;
    this.#howToEnd = howToEnd;
    this.#release = session.world.handleInterrupts((interrupt) => this.#take(interrupt));
    // A world without a process of its own has the signal alone.
    session.world.signal.addEventListener("abort", () => this.#abort(), { once: true });
    if (session.world.signal.aborted) this.#abort();
  }

  /** Aborts where the instance shall go now. */
  get signal(): AbortSignal {
    return this.#terminate.signal;
  }

  get happened(): boolean {
    return this.#presses > 0 || this.#terminate.signal.aborted;
  }

  /** From now on the first press is the command's. */
  watch(job: Job): void {
    this.#job = job;
  }

  release(): void {
    this.#release();
  }

  #take({ isFinal, quit }: Interrupt): void {
    // A shell whose terminal goes away sends SIGHUP after the system did, and others send SIGTERM and SIGHUP: only a
    // person quits.
    this.#presses = isFinal ? Math.max(this.#presses, 2) : this.#presses + 1;
    this.#session.progress.clear();
    if (this.#presses > 2) {
      this.#say(`Quitting. The instance may be left running; to end it: ${this.#howToEnd}`);
      quit();
    } else if (this.#presses === 1 && this.#job !== null) {
      this.#say("Stopping the command. Press Ctrl-C again to terminate the instance now.");
      // If it cannot be reached there is no gentle way.
      this.#job.kill("TERM").catch(() => this.#abort());
    } else {
      this.#say("Terminating the instance. Press Ctrl-C again to quit without it.");
      this.#abort();
    }
  }

  #say(line: string): void {
    this.#session.output.note(line);
  }

  #abort(): void {
    this.#terminate.abort(new DOMException("interrupted by the user", "AbortError"));
  }
}
