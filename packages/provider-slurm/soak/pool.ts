import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a submitter is asked for. */
export interface Ask {
  readonly owner: string;
  readonly key: string;
  /** Where the job writes its number. */
  readonly ranFile: string;
  readonly variant: string;
  /** First in PATH: `sbatch` then loses its answer. */
  readonly lossyPath?: string | undefined;
}

export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "spawned"; readonly id: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

export type Outcome =
  | { readonly kind: "spawned"; readonly id: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "killed" };

/** Where a submitter is: `before sbatch`, `after sbatch`, `before scontrol`, … */
export type Step = `${"before" | "after"} ${string}`;

const PROGRAM = fileURLToPath(new URL("./submitter.ts", import.meta.url));

/** One client of the cluster. It shares nothing with the others but the cluster. */
export class Submitter {
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(answer: Answer) => void>();
  readonly ready: Promise<void>;
  #isDead = false;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#child = fork(PROGRAM, [], { env, execArgv: ["--conditions=@slipway/source"], stdio: "ignore" });
    this.ready = new Promise((resolve) => {
      this.#listeners.add(({ kind }) => kind === "ready" && resolve());
      this.#child.once("exit", () => resolve());
    });
    this.#child.on("message", (answer: Answer) => {
      for (const listener of this.#listeners) listener(answer);
    });
    this.#child.once("exit", () => {
      this.#isDead = true;
    });
  }

  /** Starts one and lets it end in peace. */
  static async warmUp(env: Readonly<Record<string, string | undefined>>): Promise<void> {
    const one = new Submitter(env);
    await one.ready;
    const ended = new Promise((resolve) => one.#child.once("exit", resolve));
    one.end();
    await ended;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async spawn(ask: Ask, onStep?: (step: Step) => void): Promise<Outcome> {
    return await new Promise((resolve) => {
      const listener = (answer: Answer): void => {
        if (answer.kind === "step") onStep?.(answer.step);
        else if (answer.kind !== "ready") finish(answer);
      };
      const onExit = (): void => finish({ kind: "killed" });
      const finish = (outcome: Outcome): void => {
        this.#listeners.delete(listener);
        this.#child.off("exit", onExit);
        resolve(outcome);
      };
      this.#listeners.add(listener);
      if (this.#isDead) return finish({ kind: "killed" });
      this.#child.once("exit", onExit);
      this.#child.send(ask);
    });
  }

  /** SIGKILL. Its command goes on without it, unless that is killed as well. */
  kill(withCommands: boolean): void {
    const children = withCommands ? childrenOf(this.#child.pid) : [];
    this.#isDead = true;
    this.#child.kill("SIGKILL");
    for (const pid of children) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Some submitters. Killed ones are replaced. */
export class Team {
  readonly #size: number;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #members: readonly Submitter[] = [];

  constructor(size: number, env: Readonly<Record<string, string | undefined>>) {
    this.#size = size;
    this.#env = env;
  }

  /** Those that live, and new ones in the place of the others; resolves when all are ready. */
  async members(): Promise<readonly Submitter[]> {
    const living = this.#members.filter((one) => !one.isDead);
    const fresh = Array.from({ length: this.#size - living.length }, () => new Submitter(this.#env));
    this.#members = [...living, ...fresh];
    const members = this.#members;
    await Promise.all(members.map(({ ready }) => ready));
    return members;
  }

  end(): void {
    for (const one of this.#members) one.end();
  }
}

function childrenOf(parent: number | undefined): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // The command's name stands in brackets and may hold anything.
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false;
      }
    });
}
