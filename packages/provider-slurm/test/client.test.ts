import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { slurm } from "../src/index.ts";
import { failure } from "./failure.ts";
import { recordedCommands } from "./recorded-commands.ts";

const SECRET = "s3cret-registration-token";

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
