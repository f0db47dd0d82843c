import { nameFor } from "@slipway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { register, slurm } from "../../src/index.ts";
import { missingTools, type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";
import { failure } from "../failure.ts";

let cluster: SlurmCluster;
const manage = (...words: readonly string[]) => cluster.run("sacctmgr", "-i", ...words);
const provider = () => slurm({ owner: "tests", slurmConf: cluster.slurmConf, reasonTimeoutMs: 20_000 });

// Without the database's packages the rest of the tests runs all the same; the gate has them.
const isMissing = missingTools({ accounting: true }) !== undefined && process.env["SLIPWAY_REQUIRE_TOOLS"] !== "1";

beforeAll(async () => {
  if (isMissing) return;
  cluster = await slurmCluster({ accounting: true });
  await manage("add", "qos", "small", "MaxTRESPerJob=cpu=1");
  await manage("add", "account", "few", "open");
  await manage("add", "user", "root", "account=few", "MaxSubmitJobs=2", "MaxJobs=1");
  await manage("add", "user", "root", "account=open", "qos=normal,small");
}, 300_000);
afterAll(async () => {
  if (!isMissing) await cluster.close();
}, 120_000);

describe.skipIf(isMissing)("with slurmdbd", () => {
  test("startup passes", async () => {
    const variables = { SLURM_CONF: cluster.slurmConf };
    const { hooks } = await register({}, { owner: "tests", variables });
    await hooks.onStartup();
  });

  test("a limit of running jobs lets wait, one of submitted jobs refuses, and nothing is left of the refused", async () => {
    const one = await provider().spawn({ key: "few-1", spec: "main/few" });
    const two = await provider().spawn({ key: "few-2", spec: "main/few" });
    expect(two).toMatchObject({ account: "few", status: "pending", statusReason: { code: "AssocMaxJobsLimit" } });
    expect(await failure(provider().spawn({ key: "few-3", spec: "main/few" }))).toMatchObject({
      code: "QUOTA_EXCEEDED",
      scope: "account",
      effect: "none",
    });
    expect((await provider().list()).map(({ key }) => key).toSorted()).toEqual(["few-1", "few-2"]);
    for (const { id } of [one, two]) await provider().terminate(id);
  });

  test("a job that its QOS never allows is cancelled and refused", async () => {
    const asked = { key: "large", spec: "main/open/small", resources: { cpus: 2 } };
    const error = await failure(provider().spawn(asked));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
    expect((await cluster.run("squeue", "-h", "-a", "--name", nameFor("tests", "large"))).trim()).toBe("");
    const small = await provider().spawn({ ...asked, resources: { cpus: 1 } });
    expect(small).toMatchObject({ account: "open", qos: "small" });
    await provider().terminate(small.id);
  });

  test.each([
    ["an account that is not there", "main/nope"],
    ["a QOS that is not there", "main/open/nope"],
    ["a QOS of another account", "main/few/small"],
  ])("%s is refused", async (_, spec) => {
    expect(await failure(provider().spawn({ key: "wrong", spec }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
  });

  test("sacct shows that all of it has ended", async () => {
    await expect.poll(() => cluster.run("squeue", "-h", "-a"), { timeout: 20_000 }).toBe("");
    const states = async () => {
      const text = await cluster.run("sacct", "-a", "-X", "-P", "-n", "-S", "now-1hour", "-o", "State,Comment");
      return text.trim().split("\n");
    };
    // The controller hands its records over when it can, one after the other.
    const ENDED = /^CANCELLED( by \d+)?\|\{"slipway":1,/;
    await expect
      .poll(states, { timeout: 120_000 })
      .toSatisfy((rows: readonly string[]) => rows.length >= 3 && rows.every((row) => ENDED.test(row)));
  });
});
