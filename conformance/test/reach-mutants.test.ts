import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReachJob, type ReachSession, reachCases, runReachCase } from "@slipway/contract-tests/reach";
import { type LocalProvider, local } from "@slipway/provider-local";
import { openSession } from "@slipway/reach";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Sessions that are wrong in one way, and the case that must notice it. */
const mutants: readonly (readonly [string, string, (right: ReachSession) => ReachSession])[] = [
  ["takes no output for no success", "exec.exit-0", withCode((code) => (code === 0 ? 1 : code))],
  ["knows success and failure alone", "exec.exit-3", withCode((code) => Math.min(code, 1))],
  [
    "takes 255 for a lost connection, as ssh says it",
    "exec.exit-255",
    withCode((code) => (code === 255 ? null : code)),
  ],
  ["says 255 of a killed command, as ssh does", "exec.exit-137", withCode((code) => (code === 137 ? 255 : code))],
  [
    "loses empty words, as a shell without quotes",
    "exec.words",
    (right) => ({
      ...right,
      exec: (argv, options) =>
        right.exec(
          argv.filter((word) => word !== ""),
          options,
        ),
    }),
  ],
  [
    "puts the environment into an argument list",
    "exec.settings",
    (right) => ({
      ...right,
      exec: (argv, { environment = {}, ...options } = {}) => {
        const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
        const script = 'n="$1"; shift; while [ "$n" -gt 0 ]; do export "$1"; shift; n=$((n - 1)); done; "$@"; exit $?';
        return right.exec(["/bin/sh", "-c", script, "sh", String(settings.length), ...settings, ...argv], options);
      },
    }),
  ],
  [
    "sends bytes as text",
    "exec.binary",
    (right) => ({
      ...right,
      exec: (argv, options) =>
        right.exec(argv, { ...options, stdin: options?.stdin === undefined ? undefined : textOf(options.stdin) }),
    }),
  ],
  [
    "believes an ending that the command made up",
    "exec.hostile-output",
    (right) => ({
      ...right,
      exec: async (argv, options) => {
        const result = await right.exec(argv, options);
        const ended = /:ended:(\d+)\n/.exec(result.stderr);
        return ended === null ? result : { ...result, exitCode: Number(ended[1]) };
      },
    }),
  ],
  [
    "refuses the ninth of many at once",
    "exec.at-once",
    (right) => {
      let running = 0;
      return {
        ...right,
        exec: async (argv, options) => {
          running += 1;
          try {
            if (running > 8) throw new Error("session open refused by peer");
            return await right.exec(argv, options);
          } finally {
            running -= 1;
          }
        },
      };
    },
  ],
  ["ends its client alone at an abort", "exec.abort", endingItsClientAlone],
  [
    "starts a job anew whenever it is asked to",
    "job.again",
    (right) => ({ ...right, start: (argv) => right.start(argv) }),
  ],
  ["ends its client alone while the command is on its way", "exec.abort-early", endingItsClientAlone],
  [
    "brings files back as text",
    "copy.binary",
    (right) => ({
      ...right,
      download: async (from, to) => {
        await right.download(from, to);
        await writeFile(to, await readFile(to, "utf8"));
      },
    }),
  ],
  [
    "makes every file the same mode",
    "copy.tree",
    (right) => ({
      ...right,
      upload: async (from, to) => {
        await right.upload(from, to);
        await right.exec(["find", to, "-type", "f", "-exec", "chmod", "644", "{}", ";"]);
      },
    }),
  ],
  [
    "unpacks whatever the machine sent",
    "copy.hostile",
    (right) => ({
      ...right,
      download: async (from, to) => {
        const { stdout } = await right.exec(["/bin/sh", "-c", 'tar -cf - -C "$1" . | base64', "sh", from]);
        await mkdir(to, { recursive: true });
        execFileSync("tar", ["-xf", "-", "-C", to], { input: Buffer.from(stdout, "base64") });
      },
    }),
  ],
  [
    "brings an empty file where there is none",
    "copy.missing",
    (right) => ({ ...right, download: (from, to) => right.download(from, to).catch(() => writeFile(to, "")) }),
  ],
  [
    "yields a piece twice",
    "job.follow",
    withJob((job) => ({
      ...job,
      follow: async function* (options) {
        for await (const piece of job.follow(options)) {
          yield piece;
          yield piece;
        }
      },
    })),
  ],
  ["begins anew in another session", "job.reopen", withJob((job) => ({ ...job, follow: () => job.follow() }))],
  [
    "begins anew after a lost connection",
    "job.cut",
    withJob((job) => ({
      ...job,
      follow: async function* () {
        for await (const piece of job.follow()) {
          yield piece;
          break;
        }
        yield* job.follow();
      },
    })),
  ],
  [
    "says 0 of a job that was killed",
    "job.kill",
    withJob((job) => ({ ...job, result: async () => ({ exitCode: (await job.result()).exitCode % 143 }) })),
  ],
  [
    "sends a signal again, to be sure",
    "job.signal",
    withJob((job) => ({
      ...job,
      kill: async (signal) => {
        await job.kill(signal);
        await job.kill(signal);
      },
    })),
  ],
];

/** Null: as a lost connection. */
function withCode(codeOf: (code: number) => number | null): (right: ReachSession) => ReachSession {
  return (right) => ({
    ...right,
    exec: async (argv, options) => {
      const result = await right.exec(argv, options);
      // The suite's own preparations go on.
      if (!result.stdout.startsWith("out\n")) return result;
      const exitCode = codeOf(result.exitCode);
      if (exitCode === null) throw new Error("the connection was lost");
      return { ...result, exitCode };
    },
  });
}

function endingItsClientAlone(right: ReachSession): ReachSession {
  return {
    ...right,
    exec: (argv, { signal, ...options } = {}) => {
      const aborted = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => aborted.reject(signal.reason));
      const running = right.exec(argv, options);
      running.catch(() => undefined);
      return Promise.race([running, aborted.promise]);
    },
  };
}

function withJob(change: (job: ReachJob) => ReachJob): (right: ReachSession) => ReachSession {
  return (right) => ({
    ...right,
    start: async (argv, options) => change(await right.start(argv, options)),
    job: (id) => change(right.job(id)),
  });
}

function textOf(stdin: string | Uint8Array): string {
  return typeof stdin === "string" ? stdin : Buffer.from(stdin).toString("utf8");
}

describe("a session that is wrong in one way", { timeout: 60_000 }, () => {
  let directory: string;
  let provider: LocalProvider;
  let id: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-reach-mutants-"));
    provider = local({ owner: "reach", stateDirectory: directory });
    ({ id } = await provider.spawn({ key: "mutants" }));
  });
  afterAll(async () => {
    await provider.terminate(id);
    await rm(directory, { recursive: true, force: true });
  });

  it.concurrent.for(mutants)("%s: %s fails", async ([_what, caseId, broken], { expect }) => {
    const one = reachCases.find((candidate) => candidate.id === caseId);
    if (one === undefined) throw new Error(`there is no case ${caseId}`);
    const open = async (): Promise<ReachSession> => await openSession(provider, id);
    const cut = async (): Promise<void> => undefined;
    const reopen = async (): Promise<ReachSession> => broken(await open());
    const create = async () => ({ session: broken(await open()), reopen, cut });
    expect(await runReachCase(one, { create }).catch((error: unknown) => error)).toBeInstanceOf(Error);
    // The same case over the session as it is, so that it was the mutation.
    expect(await runReachCase(one, { create: async () => ({ session: await open(), reopen: open, cut }) })).toBe(
      undefined,
    );
  });

  it("stands for every case", () => {
    expect(mutants.map(([, caseId]) => caseId).sort()).toEqual(reachCases.map(({ id: caseId }) => caseId).sort());
  });
});
