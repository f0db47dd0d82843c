import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the cases ask of a session. A `Session` of `@slipway/reach` is one. */
export interface ReachSession {
  readonly exec: (argv: readonly string[], options?: ReachExecOptions) => Promise<ReachResult>;
  readonly start: (argv: readonly string[], options?: { readonly id?: string | undefined }) => Promise<ReachJob>;
  readonly job: (id: string) => ReachJob;
  readonly upload: (from: string, to: string) => Promise<void>;
  readonly download: (from: string, to: string) => Promise<void>;
}

export interface ReachExecOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
}

export interface ReachResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ReachJob {
  readonly id: string;
  readonly follow: (options?: {
    readonly fromByte?: number | undefined;
  }) => AsyncIterable<{ readonly text: string; readonly nextByte: number }>;
  readonly result: () => Promise<{ readonly exitCode: number }>;
  readonly kill: (signal?: "TERM" | "INT" | "HUP" | "KILL") => Promise<void>;
}

/** A session to a running instance, and what a case may do to the way there. What is absent skips the cases that need it. */
export interface ReachFixture {
  readonly session: ReachSession;
  /** Another session to the same instance, as another process would open it. */
  readonly reopen?: () => Promise<ReachSession>;
  /** Cuts the connection under `session`, as a lost network would. Absent where a session has none that could be lost. */
  readonly cut?: () => Promise<void>;
  readonly dispose?: () => Promise<void>;
}

export interface ReachHarness {
  /** May give the same instance to every case: each cleans up behind itself. */
  readonly create: () => Promise<ReachFixture>;
}

/** What a case works with: the fixture, and a fresh directory on either side. */
export interface ReachPlace extends Required<Omit<ReachFixture, "dispose">> {
  /** A directory on this machine. */
  readonly here: string;
  /** A directory on the instance. */
  readonly there: string;
}

/** One promise of a session, as data: any test runner can run it. */
export interface ReachCase {
  /** Unique, as `exec.binary`. */
  readonly id: string;
  readonly title: string;
  /** What of the fixture it needs. */
  readonly needs?: "reopen" | "cut";
  /** Throws where the session breaks the promise. */
  readonly run: (place: ReachPlace) => Promise<void>;
}

/** Why a case did not run. */
export interface ReachCaseSkip {
  readonly skipped: string;
}

/** Runs one case; throws if it fails, answers why if it cannot be run. */
export async function runReachCase(reachCase: ReachCase, harness: ReachHarness): Promise<ReachCaseSkip | undefined> {
  const { id, needs } = reachCase;
  const fixture = await harness.create();
  try {
    if (needs !== undefined && fixture[needs] === undefined) return { skipped: `the fixture has no ${needs}` };
    const absent = async (): Promise<never> => {
      throw new Error(`${id} uses what it does not name in needs`);
    };
    const here = await mkdtemp(join(tmpdir(), "slipway-reach-case-"));
    try {
      await inDirectory(fixture.session, (there) =>
        reachCase.run({ reopen: absent, cut: absent, ...fixture, here, there }),
      );
    } finally {
      await rm(here, { recursive: true, force: true });
    }
    return undefined;
  } finally {
    await fixture.dispose?.();
  }
}

/** A fresh directory on the instance, which goes when the work has ended. */
async function inDirectory(session: ReachSession, work: (there: string) => Promise<void>): Promise<void> {
  const script = 'd="/tmp/slipway-$1"; mkdir -m 700 "$d"; echo "$d"';
  const made = await session.exec(shell(script, crypto.randomUUID()));
  const there = made.stdout.trim();
  if (made.exitCode !== 0 || there === "")
    throw new Error(`no directory could be made on the instance: ${made.stderr}`);
  try {
    await work(there);
  } finally {
    await session.exec(["rm", "-rf", there]);
  }
}

export const shell = (script: string, ...words: readonly string[]): readonly string[] => [
  "/bin/sh",
  "-c",
  script,
  "sh",
  ...words,
];
