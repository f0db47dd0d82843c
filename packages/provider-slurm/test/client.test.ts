import { join } from "node:path";
import { type Exec, systemClock } from "@slipway/core";
import { limits } from "@slipway/provider-kit/limits";
import { describe, expect, test, vi } from "vitest";
import { slurmClient } from "../src/client.ts";
import { slurm } from "../src/index.ts";
import { failure } from "./failure.ts";
import { recordedCommands } from "./recorded-commands.ts";

const SECRET = "s3cret-registration-token";

describe("releases", () => {
  /** A client of a cluster whose jobs are in these states; what is released runs, but for those that `refused` names. */
  function client(states: Record<string, string>, refused: readonly string[] = []) {
    const sent: string[] = [];
    const gates: (() => void)[] = [];
    const exec: Exec = async (program, args) => {
      const done = { exitCode: 0, signal: null, stdout: "ClusterName = c\n", stderr: "" };
      if (program === "scontrol" && args[0] === "release") {
        const numbers = args[1] ?? "";
        sent.push(numbers);
        await new Promise<void>((resolve) => void gates.push(resolve));
        const failed = numbers.includes(",") && refused.some((one) => numbers.split(",").includes(one));
        return failed ? { ...done, exitCode: 1, stderr: "Unexpected message received\n" } : done;
      }
      if (program !== "squeue") return done;
      const fields = (number: string, state = "") => [
        `\x1e${number}`,
        "1700000000",
        "n",
        state,
        state === "PENDING" ? "JobHeldUser" : "None",
        ...Array(11).fill(""),
      ];
      return {
        ...done,
        stdout: Object.entries(states)
          .map(([number, state]) => fields(number, state).join("\x1f"))
          .join(""),
      };
    };
    const clock = { now: () => 0, sleep: async () => undefined };
    const pacing = limits({ clock, provider: "slurm", buckets: [] });
    const made = slurmClient({ exec, slurmConf: undefined, commandPrefix: undefined, timeoutMs: 1_000, clock, pacing });
    const release = (number: string, signal?: AbortSignal) => made.release({ operation: "spawn", signal }, number);
    /** The command under way ends. */
    const answer = async (count: number): Promise<void> => {
      await vi.waitUntil(() => sent.length === count);
      gates[count - 1]?.();
    };
    return { sent, release, answer };
  }

  test("a lone one leaves at once; those that come meanwhile go together", async () => {
    const { sent, release, answer } = client({});
    const all = [release("1")];
    await vi.waitUntil(() => sent.length === 1);
    all.push(release("2"), release("3"), release("4"));
    await answer(1);
    await answer(2);
    expect(await Promise.all(all)).toEqual([true, true, true, true]);
    expect(sent).toEqual(["1", "2,3,4"]);
  });

  test("where one of many fails, the queue says which are left, and those go alone", async () => {
    const { sent, release, answer } = client({ 2: "RUNNING", 3: "PENDING" }, ["4"]);
    const first = release("1");
    await vi.waitUntil(() => sent.length === 1);
    const all = ["2", "3", "4"].map((number) => release(number));
    await answer(1);
    await answer(2);
    await answer(3);
    await first;
    expect(await Promise.all(all)).toEqual([true, true, false]);
    expect(sent).toEqual(["1", "2,3,4", "3"]);
  });

  test("one whose caller has gone takes none of the others along, and is not released", async () => {
    const { sent, release, answer } = client({});
    const first = release("1");
    await vi.waitUntil(() => sent.length === 1);
    const caller = new AbortController();
    const gone = failure(release("2", caller.signal));
    caller.abort();
    expect(await gone).toMatchObject({ code: "CANCELLED" });
    const later = release("3");
    await answer(1);
    await answer(2);
    expect(await Promise.all([first, later])).toEqual([true, true]);
    expect(sent).toEqual(["1", "3"]);
  });

  test("one whose caller leaves others before the command is sent is not in it", async () => {
    const { sent, release, answer } = client({});
    const first = release("1");
    await vi.waitUntil(() => sent.length === 1);
    const caller = new AbortController();
    const gone = failure(release("2", caller.signal));
    const other = release("3");
    caller.abort();
    expect(await gone).toMatchObject({ code: "CANCELLED", effect: "none" });
    await answer(1);
    await answer(2);
    expect(await Promise.all([first, other])).toEqual([true, true]);
    expect(sent).toEqual(["1", "3"]);
  });

  test("one whose caller leaves while the command is under way may be released", async () => {
    const { sent, release } = client({});
    const caller = new AbortController();
    const gone = failure(release("1", caller.signal));
    await vi.waitUntil(() => sent.length === 1);
    caller.abort();
    expect(await gone).toMatchObject({ code: "CANCELLED", effect: "unknown" });
  });
});

describe("what Slurm's commands get", () => {
  test("stray variables, which would change what is asked for, do not reach them", async () => {
    for (const name of ["SBATCH_PARTITION", "SBATCH_ARRAY_INX", "SLURM_JOB_ID", "SQUEUE_STATES", "SRUN_DEBUG"]) {
      vi.stubEnv(name, "1");
    }
    vi.stubEnv("SLURM_CONF", "/etc/elsewhere/slurm.conf");
    const { commands } = await recordedCommands();
    const provider = slurm({ owner: "tests" });
    await provider.list();
    const all = await commands();
    expect(all.map(({ program }) => program)).toEqual(["squeue", "scontrol"]);
    for (const { env } of all) {
      const names = Object.keys(env).filter((name) => /^(SBATCH|SLURM|SQUEUE|SRUN)_/.test(name));
      expect(names.toSorted()).toEqual(["SLURM_CONF", "SLURM_TIME_FORMAT"]);
      expect(env).toMatchObject({ SLURM_CONF: "/etc/elsewhere/slurm.conf", SLURM_TIME_FORMAT: "%s", TZ: "UTC" });
    }
  });

  test("a job is submitted held; no secret is an argument", async () => {
    const { commands } = await recordedCommands();
    const provider = slurm({ owner: "tests", partition: "main", timeLimitMinutes: 5 });
    const bootstrap = { script: "echo hello", registrationToken: SECRET };
    await provider
      .spawn({ key: "a", resources: { cpus: 2, memoryBytes: 1024 ** 3 }, bootstrap })
      .catch(() => undefined);
    const all = await commands();
    const sbatch = all.find(({ program }) => program === "sbatch");
    expect(sbatch?.args).toEqual(expect.arrayContaining(["--hold", "--export=NONE", "--partition=main", "--time=5"]));
    expect(sbatch?.args).toEqual(expect.arrayContaining(["--cpus-per-task=2", "--mem=1024M", "--no-requeue"]));
    expect(sbatch?.stdin).toMatch(/^#!\/bin\/sh\n/);
    expect(JSON.stringify(all.map(({ args, env }) => ({ args, env })))).not.toContain(SECRET);
  });

  test("this provider's own options win over its config, and are checked", async () => {
    const { commands } = await recordedCommands();
    const provider = slurm({ owner: "tests", timeLimitMinutes: 5, exclusive: true });
    const own = {
      timeLimitMinutes: 90,
      requeue: true,
      exclusive: false,
      constraint: "ib",
      reservation: "r1",
      nice: 10,
    };
    await provider.spawn({ key: "a", ...own }).catch(() => undefined);
    const args = (await commands()).find(({ program }) => program === "sbatch")?.args;
    const wanted = ["--time=90", "--requeue", "--constraint=ib", "--reservation=r1", "--nice=10"];
    expect(args).toEqual(expect.arrayContaining(wanted));
    expect(args).not.toContain("--exclusive");
    for (const bad of [{ timeLimitMinutes: 0.5 }, { constraint: "a b" }, { reservation: "--x" }, { nice: -1 }]) {
      expect(await failure(provider.spawn({ key: "b", ...bad }))).toMatchObject({
        code: "INVALID_SPEC",
        effect: "none",
      });
    }
  });

  test.each([
    [{}, "--time=6", "--deadline=2026-01-01T00:10:31"],
    [{ timeLimitMinutes: 2 }, "--time=2", "--deadline=2026-01-01T00:06:31"],
    [{ timeLimitMinutes: 90 }, "--time=6", "--deadline=2026-01-01T00:10:31"],
  ])("an end of its own beside %j", async (more, time, deadline) => {
    const { commands } = await recordedCommands();
    const clock = { ...systemClock, now: () => Date.parse("2026-01-01T00:00:00Z") };
    const provider = slurm({ owner: "tests", runtime: { clock } });
    // Not earlier than asked: a second that has begun counts.
    await provider.spawn({ key: "a", terminateBy: "2026-01-01T00:04:30.200Z", ...more }).catch(() => undefined);
    const sbatch = (await commands()).find(({ program }) => program === "sbatch");
    expect(sbatch?.args).toEqual(expect.arrayContaining([time, deadline]));
    expect(sbatch?.stdin).toContain(" EndTime=2026-01-01T00:04:31 ");
  });

  test("a site whose jobs go on after their time limits keeps no end", async () => {
    const { commands } = await recordedCommands("UNLIMITED");
    const provider = slurm({ owner: "tests" });
    const terminateBy = new Date(Date.now() + 60_000).toISOString();
    expect(await failure(provider.spawn({ key: "a", terminateBy }))).toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      message: expect.stringContaining("OverTimeLimit"),
    });
    expect((await commands()).map(({ program }) => program)).not.toContain("sbatch");
  });

  test.each([
    [{}, "UNLIMITED", false],
    [{ spec: "own" }, "0", true],
  ])("what a partition says of time limits counts before the cluster's word, with %j", async (more, own, isKept) => {
    const lines = ["main Default=YES MaxTime=60 OverTimeLimit=", "own Default=NO MaxTime=60 OverTimeLimit="];
    const partitions = lines.map((line) => `PartitionName=${line}${own} PreemptMode=OFF`).join("\n");
    const { commands } = await recordedCommands(isKept ? "5 min" : "0 min", partitions);
    const terminateBy = new Date(Date.now() + 60_000).toISOString();
    const error = await failure(slurm({ owner: "tests" }).spawn({ key: "a", terminateBy, ...more }));
    if (!isKept) expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect((await commands()).some(({ program }) => program === "sbatch")).toBe(isKept);
  });

  test("behind a prefix they get the same words, and the variables as well", async () => {
    const { commands, directory } = await recordedCommands();
    const commandPrefix = [join(directory, "login-node")];
    const provider = slurm({ owner: "tests", commandPrefix, slurmConf: "/etc/slurm/other.conf" });
    const labels = { note: `it's "$HOME" * \\ ü` };
    await provider.spawn({ key: "a b'c", labels, name: "$(id); x" }).catch(() => undefined);
    const sbatch = (await commands()).find(({ program }) => program === "sbatch");
    const comment = sbatch?.args.find((word) => word.startsWith("--comment="))?.slice("--comment=".length) ?? "{}";
    expect(JSON.parse(comment)).toMatchObject({ k: "a b'c", l: labels, n: "$(id); x" });
    expect(sbatch?.env).toMatchObject({ SLURM_CONF: "/etc/slurm/other.conf", SLURM_TIME_FORMAT: "%s", LC_ALL: "C" });
  });
});
