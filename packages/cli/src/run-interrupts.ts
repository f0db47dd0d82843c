import type { Job } from "@slipway/reach";
import type { Session } from "./session.ts";
import type { Interrupt } from "./world.ts";

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
